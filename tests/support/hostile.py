"""Values of records near the contract, from a seed: valid events, spoilt in their texts, their JSON or their bytes."""

import gzip
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.support.contract import LARGEST

Members = list[tuple[str, str]]  # key and value as JSON, in order
Change = Callable[[random.Random, Members], None]
Spoil = Callable[[random.Random, bytes], bytes]

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
DAY_MS = 86_400_000
ODD_TIMES = (  # of Kafka's records, in milliseconds
    *(1, 1_000, NOON_MS - 29 * DAY_MS, NOON_MS - 1, NOON_MS + 300_000, NOON_MS + 31 * DAY_MS),
    *(NOON_MS * 1000, 2**53),
)
WILD_TIMES = (NOON_MS * 1_000_000, 2**62, 2**63 - 1)  # beyond what Spark can hold
AHEAD = (600, 600.001, 0, -(30 * 86_400), -(30 * 86_400) - 0.001, 10**9, -(10**9))  # seconds, around the limits
HOSTS = ("198.51.100.77", "203.0.113.201", "2001:db8:1:2::77", "::ffff:198.51.100.77")  # must never land whole
ADDRESSES = (
    *HOSTS,
    *(
        f"{HOSTS[0]}:443",
        f"[{HOSTS[2]}]:65535",
        f"{HOSTS[1]}, 10.0.0.1",
        f"{HOSTS[2]}%eth0",
        f" {HOSTS[0]} ",
        f"{HOSTS[0]}/24",
        f"{HOSTS[2]}/48",
    ),
    *("", "::", "1.2.3", "0x7f.1", "256.1.1.1", "fe80::%", "[", "1" * 400, ":" * 400, "\0", "٣.٣.٣.٣", "localhost"),
)
SPECIAL = (
    *(
        "",
        " ",
        "\0",
        "\x01\x1f\x7f",
        "\u2028\u2029",
        "\ufeff",
        "\uffff",
        "\ufdd0",
        "\u202e",
        "e\u0301",
        "👩‍👩‍👧‍👦",
        "\U0010ffff",
    ),
    *("null", "true", "[a]", "{", "[]", "NaN", "\\N", "\\", '"', "'; DROP TABLE pins; --", "=1+1", "%00", "$1", "${x}"),
    *("0", "-0", "007", " 1", "1 ", "+1", "1_000", "١٢", "0x1f", "1e3", "1.0", "9223372036854775808"),
)
LENGTHS = (1, 2, 63, 64, 65, 499, 500, 501, 2048, 2049, 4999, 5000, 5001, 20_000, 60_000, 65_500)
RAW = (  # values that are JSON, and what is nearly
    *("0", "-0", "1", "-1", "1.0", "1.5", "1e3", "1E400", "-1e-400", "0.1e1", "1" * 19, "9" * 5000, "1e" + "9" * 400),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"),
    *("18446744073709551615", "18446744073709551616", "12345678901234567.89", "19.90"),
    *("null", "true", "false", "[]", "{}", "[[]]", '[1,{"a":[null]}]', '{"a":1,"a":2}', '{"":""}', '{"$oid":"x"}'),
    *(
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "undefined",
        "'a'",
        "[1,]",
        '{"a":1,}',
        "[,]",
        "",
    ),
    *(
        '"\\ud83d"',
        '"\\ude00\\ud83d"',
        '"\\ud83d\\ude00"',
        '"\\u0000"',
        '"\\x41"',
        '"\\u12"',
        '"\t"',
        '"\n"',
        '"a',
        '"\\"',
    ),
    *('"\\u0041\\/\\b\\f"', '"\ufeff"', '"\\u2028"', "/* */1", "1//", "- 1", '""""'),
)
KEYS = (
    "event_id",
    "event_type",
    "occurred_at",
    "user_id",
    "ip",
    "pin",
    "pin_id",
    "board_id",
    "text",
    "client",
    "IP",
    "",
)
PIN_KEYS = ("pin_id", "creator_id", "board_id", "brand_id", "category", "title", "description", "link", "image_url")
SPACES = (" ", "\t\r\n ", "\n" * 50)
WRONG_SPACES = ("\x0b", "\x0c", "\xa0", "\ufeff", "\0", "\u3000", "//x\n")


@dataclass(frozen=True)
class Value:
    """One record that is sent. ``timestamp``: in milliseconds."""

    value: bytes | None
    key: bytes | None = None
    timestamp: int = NOON_MS
    headers: tuple[tuple[str, bytes | None], ...] = ()


def hostile(seed: int, number: int) -> Value:
    """The record of this number of a seed."""
    chance = random.Random(f"{seed} {number}")
    value = _value(chance)
    timestamp = chance.choice(ODD_TIMES) if chance.random() < 0.1 else NOON_MS
    key = chance.choice((b"", b"\xff\0", b"k" * 1000, chance.randbytes(8))) if chance.random() < 0.2 else None
    headers = (("", None), ("h", chance.randbytes(4)), ("h", b"")) if chance.random() < 0.05 else ()
    return Value(value, key, timestamp, headers)


def _value(chance: random.Random) -> bytes | None:
    if chance.random() < 0.02:
        return chance.choice((None, b"", b" ", b"{}", b"null", b"[]", b"{", b"\0", b"\xef\xbb\xbf{}", b"{}" * 2))
    members = _event(chance)
    for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 4))):
        chance.choice(CHANGES)(chance, members)
    value = _written(chance, members).encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 2))):
        value = chance.choice(SPOILS)(chance, value)
    return value


def _event(chance: random.Random) -> Members:
    """A valid event of any type, around noon."""
    kind, number = chance.choice(("pin", "repin", "comment", "login")), chance.randrange(1, 2000)
    ahead = chance.choice(AHEAD) if chance.random() < 0.05 else -chance.randrange(7200)
    event: dict[str, object] = {
        "event_id": f"{chance.getrandbits(64):x}",
        "event_type": kind,
        "occurred_at": (NOON + timedelta(seconds=ahead)).isoformat(),
        "user_id": chance.randrange(-(2**63), 2**63),
        "ip": chance.choice(ADDRESSES[:10]),
    }
    own: dict[str, dict[str, object]] = {
        "pin": {
            "pin": {"pin_id": number, "creator_id": 1, "board_id": 2, "title": "t", "created_at": NOON.isoformat()}
        },
        "repin": {"pin_id": number, "board_id": 3},
        "comment": {"pin_id": number, "text": f"see {chance.choice(HOSTS)}, nice"},
        "login": {"client": chance.choice(("ios", "android", "web"))},
    }
    return [(json.dumps(name), json.dumps(value)) for name, value in (event | own[kind]).items()]


def _written(chance: random.Random, members: Members) -> str:
    space = chance.choice(SPACES) if chance.random() < 0.1 else ""
    inside = f"{space},".join(f"{space}{key}{space}:{space}{value}" for key, value in members)
    return f"{{{inside}{space}}}"


def _text(chance: random.Random) -> str:
    """A text as JSON."""
    way = chance.randrange(5)
    if way == 0:
        return chance.choice(RAW)
    if way == 1:
        text = chance.choice(("x", "é", "🎡", "\t", "\\", "\0")) * chance.choice(
            LENGTHS if chance.random() < 0.05 else LENGTHS[:-5]
        )
    elif way == 2:
        text = "".join(
            chr(chance.choice((chance.randrange(0xD800), chance.randrange(0xE000, 0x110000)))) for _ in range(9)
        )
    else:
        text = chance.choice((*SPECIAL, *ADDRESSES))
    return json.dumps(text, ensure_ascii=chance.random() < 0.5)


def _time(chance: random.Random) -> str:
    """A time as JSON, or what is nearly one."""
    day = chance.choice(
        ("2026-02-30", "2024-02-29", "2016-12-31", "0000-01-01", "0001-01-01", "9999-12-31", "2026-3-5")
    )
    clock = chance.choice(
        ("23:59:60", "23:59:59", "24:00:00", "12:00:00.5", "12:00:00.1234567890", "00:00:00", "1:2:3", "")
    )
    zone = chance.choice(("Z", "z", "", "+00:00", "-05:00", "+23:59", "+24:00", "+0530", " UTC", "[x]"))
    odd = (
        "now",
        "infinity",
        "epoch",
        "-infinity",
        "1700000000",
        "2026-03-05",
        "٢٠٢٦-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
    )
    whole = f"{day}{chance.choice('TTt _')}{clock}{zone}"
    return json.dumps(chance.choice((whole, whole, chance.choice(odd))))


def _deep(chance: random.Random) -> str:
    """Nesting; some of it never ends."""
    depth = chance.choice((2, 2, 2, 100, 100, 1025)) if chance.random() < 0.98 else 10_000
    opened, closed = chance.choice((("[", "]"), ('{"a":', "}")))
    return opened * depth + "1" + closed * chance.choice((depth, depth, depth - 1, 0))


def _some(chance: random.Random) -> str:
    """Any value as JSON."""
    return chance.choice((_text, _text, _text, _time, lambda _: chance.choice(RAW), _deep))(chance)


def _replace(chance: random.Random, members: Members) -> None:
    at = chance.randrange(len(members))
    members[at] = (members[at][0], _some(chance))


def _replace_own(chance: random.Random, members: Members) -> None:
    """A field gets another value of its own kind: that is nearer to the contract than any value."""
    at = chance.randrange(len(members))
    key, value = members[at]
    of_times = key == '"occurred_at"'
    members[at] = (key, _time(chance) if of_times else json.dumps(chance.choice(ADDRESSES)) if key == '"ip"' else value)
    if value.startswith("{") and len(value) > 2:
        name = chance.choice((*PIN_KEYS, "created_at", "colour"))
        more = _time(chance) if name == "created_at" else _some(chance)
        members[at] = (
            key,
            f'{{"{name}":{more},{value[1:]}' if chance.random() < 0.5 else f'{value[:-1]},"{name}":{more}}}',
        )


def _remove(chance: random.Random, members: Members) -> None:
    if len(members) > 1:
        members.pop(chance.randrange(len(members)))


def _add(chance: random.Random, members: Members) -> None:
    name = chance.choice((chance.choice(KEYS), chance.choice(SPECIAL), "x" * chance.choice(LENGTHS[:5])))
    members.insert(chance.randrange(len(members) + 1), (json.dumps(name), _some(chance)))


def _double(chance: random.Random, members: Members) -> None:
    members.insert(chance.randrange(len(members) + 1), (chance.choice(members)[0], _some(chance)))


def _escape_key(chance: random.Random, members: Members) -> None:
    at = chance.randrange(len(members))
    key, value = members[at]
    members[at] = ("".join(f"\\u{ord(c):04x}" if c != '"' and chance.random() < 0.5 else c for c in key), value)


def _shuffle(chance: random.Random, members: Members) -> None:
    chance.shuffle(members)


CHANGES: Sequence[Change] = (
    _replace,
    _replace,
    _replace_own,
    _replace_own,
    _remove,
    _add,
    _add,
    _double,
    _escape_key,
    _shuffle,
)


def _cut(chance: random.Random, value: bytes) -> bytes:
    first, last = sorted((chance.randrange(len(value) + 1), chance.randrange(len(value) + 1)))
    return chance.choice(
        (value[:last], value[first:], value[:first] + value[last:], value[:first] + value[first:last] * 2)
    )


def _flip(chance: random.Random, value: bytes) -> bytes:
    if not value:
        return value
    at = chance.randrange(len(value))
    return value[:at] + bytes([value[at] ^ (1 << chance.randrange(8))]) + value[at + 1 :]


def _insert(chance: random.Random, value: bytes) -> bytes:
    at = chance.randrange(len(value) + 1)
    odd = (
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\0",
        b"\x1b[2J",
        b"\r\n",
        b"'",
        b",",
        b"}",
    )
    return value[:at] + chance.choice((*odd, chance.randbytes(3))) + value[at:]


def _around(chance: random.Random, value: bytes) -> bytes:
    space = chance.choice((*SPACES, *WRONG_SPACES)).encode()
    return chance.choice((space + value, value + space, space + value + space))


def _encode(chance: random.Random, value: bytes) -> bytes:
    """Another encoding, or a program's wrapping."""
    text = value.decode("utf-8", "replace")
    encoding = chance.choice(("utf-16", "utf-16-be", "utf-32", "latin-1", "cp037"))
    wrapped = (
        b"\0\0\0\0\x01" + value,
        b"[" + value + b"]",
        json.dumps(text).encode(),
        gzip.compress(value[:1000], 1, mtime=0),
    )
    return chance.choice((text.encode(encoding, "replace"), chance.choice(wrapped)))


def _grow(chance: random.Random, value: bytes) -> bytes:
    """Up to a megabyte, rarely; or just around the limit."""
    if chance.random() < 0.9:
        return value
    size = chance.choice((100_000, 990_000)) if chance.random() < 0.1 else LARGEST + chance.choice((-1, 0, 1))
    return value + chance.choice((b" ", b"x", b"\xff", b"[")) * (size - len(value))


SPOILS: Sequence[Spoil] = (_cut, _cut, _flip, _flip, _insert, _insert, _around, _encode, _grow)
