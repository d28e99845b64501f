"""IP addresses in texts: read as gateways write them, and cut to their networks wherever they stand.

Only networks are stored: an address's /24 for IPv4, its /48 for IPv6.
"""

import re
import socket
from collections.abc import Callable

# IPv4 addresses written as IPv6, and where they stand: mapped, of NAT64, of 6to4, whose /48 would be all of it.
V4_IN_V6 = ((bytes(10) + b"\xff\xff", 12), (b"\x00\x64\xff\x9b" + bytes(8), 12), (b"\x20\x02", 2))

# A character that an address may have, plain or as JSON, a log, a URL or HTML escapes it, also several times over.
_CODE = r"(?:3[0-9aA]|2[eE]|4[1-6]|6[1-6])"
_DECIMAL = r"(?:46|4[89]|5[0-8]|6[5-9]|70|9[7-9]|10[0-2])"
_ESCAPED = rf"\\{{1,8}}(?:(?:u00|x){_CODE}|[.:])|%(?:25){{0,4}}{_CODE}|&#0?(?:[xX]{_CODE}|{_DECIMAL});"
_ESCAPE = re.compile(r"(?:\\+(?:u00|x)|%(?:25)*|&#0?[xX])([0-9A-Fa-f]{2});?|&#0?([0-9]+);|\\+([.:])")
# An escape whose digits are no address's; octal ones, and #011 for a tab, are of logs.
_OTHER = (
    r"\\{1,8}(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[bfnrtv])|(?:\\{1,8}|#)0[0-7]{2}(?!\.)"
    r"|%(?:25){0,4}[0-9A-Fa-f]{2}"
)
_RUN = re.compile(rf"(?P<run>(?:[0-9A-Fa-f:.]|{_ESCAPED}){{3,}})|{_OTHER}")
_ENDS_ESCAPED = re.compile(rf"(?:{_OTHER})$")
_BYTE = r"0{0,2}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[0-9]{1,2})"
_VERSION = r"[0-9]+\.0\.0\.0(?!\.?[0-9])"  # or a network: of all browsers today, as in Chrome/120.0.0.0
_V4 = re.compile(rf"(?<![0-9])(?!{_VERSION})(?:{_BYTE}\.){{3}}{_BYTE}(?![0-9]|/24)")
_GLOBAL = r"[23][0-9A-Fa-f]{3}:"  # how an address of the Internet begins
_V6 = re.compile(
    rf"(?:(?<![0-9A-Fa-f])|(?={_GLOBAL}))"
    r"(?:[0-9A-Fa-f]{0,4}:){2,9}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{1,4})?"
)
_WHOLE = re.compile(rf"{_GLOBAL}|{_V4.pattern}")
_GROUP = re.compile(r"[^:]*:?")
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:){7,}[0-9A-Fa-f]{2}")  # of a certificate, or a device's EUI-64
_DIGIT, _HEX = re.compile("[0-9]"), re.compile("[0-9A-Fa-f]")
_LONGEST_RUN = 1000  # characters: no text of people's is longer, and a hostile one would take a second


def packed(text: str | None) -> bytes | None:
    """The address as 4 or 16 bytes; None when the text is no address.

    Taken as gateways write it: with a port (``a.b.c.d:443``, ``[v6]:443``), with a zone (``fe80::1%eth0``), or the
    first of a list. Also as we store it: a network is its first address.
    """
    if not text:
        return None
    first = text.split(",", 1)[0].strip()
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::[0-9]{1,5})?", first)
    if bracketed:
        first = bracketed[1]
    elif first.count(":") == 1:
        first = re.sub(r":[0-9]{1,5}$", "", first)
    found = _packed(first.split("%", 1)[0].removesuffix("/24" if "." in first else "/48"))
    return found and _as_v4(found)


def network(address: bytes) -> str:
    """The network that is stored instead of a packed address."""
    kept, bits = (3, 24) if len(address) == 4 else (6, 48)
    return f"{socket.inet_ntop(family(address), address[:kept] + bytes(len(address) - kept))}/{bits}"


def family(address: bytes) -> socket.AddressFamily:
    """The family of a packed address."""
    return socket.AF_INET if len(address) == 4 else socket.AF_INET6


def without_addresses(text: str) -> str:
    """The text with each full address cut to its network, whatever stands around it; also where it is escaped."""
    return _RUN.sub(_cut_run, text)


def bytes_without_addresses(value: bytes) -> bytes:
    """As ``without_addresses``, for a value of any encoding; all other bytes stay as they are.

    The first bytes may lie about the encoding, so they are not asked.
    """
    text = without_addresses(value.decode(errors="surrogateescape"))
    return (_without_spread(text) if "\0" in text else text).encode(errors="surrogateescape")


def _without_spread(text: str) -> str:
    """As ``without_addresses``, with zeros between an address's characters: UTF-16 or UTF-32, from any byte on."""
    places = [place for place, character in enumerate(text) if character != "\0"]
    done, last = [], 0
    for run in _RUN.finditer(text.replace("\0", "")):
        if (cut := _cut_run(run)) != run[0]:
            first, second = places[run.start()], places[run.start() + 1]
            done += [text[last:first], text[first + 1 : second].join(cut)]
            last = places[run.end() - 1] + 1
    return "".join([*done, text[last:]])


def _cut_run(found: re.Match[str]) -> str:
    run = found["run"]
    if run is None or _FINGERPRINT.fullmatch(run):
        return found[0]
    text = _ESCAPE.sub(_unescaped, run)
    cut = _cut(text)
    after = found.string[found.end() : found.end() + 3]
    is_network = after in ("/24", "/48") and cut == text + after
    return run if cut == text or is_network or _is_word(found, text) else cut


def _unescaped(escape: re.Match[str]) -> str:
    code, decimal, plain = escape.groups()
    return plain or chr(int(code, 16) if code else int(decimal))


def _is_word(run: re.Match[str], text: str) -> bool:
    """Whether it is of a name: std::string, utf8::decode, arn:aws:s3:::pins. An address has three parts and a digit."""
    is_long = len([part for part in text.split(":") if part]) > 2 and _DIGIT.search(text)
    return not (is_long or _WHOLE.search(text)) and _is_glued(run)


def _is_glued(run: re.Match[str]) -> bool:
    before, after = run.string[max(0, run.start() - 13) : run.start()], run.string[run.end() : run.end() + 1]
    is_behind = before[-1:].isalpha() and run[0][0] != "." and not _ENDS_ESCAPED.search(before)
    return is_behind or (after.isalpha() and run[0][-1] != ".")


def _cut(text: str) -> str:
    if "::" in text or text.count(":") >= 6:  # a time of day has two colons, a hardware address five
        text = _cut_v6(text) if len(text) <= _LONGEST_RUN else _HEX.sub("0", text)
    return _V4.sub(lambda v4: _network_or(v4[0], _v4_packed), text)


def _cut_v6(text: str) -> str:
    """Cut IPv6 addresses, from left to right, the longest first."""
    done, start = [], 0
    while (shape := _V6.search(text, start)) is not None:
        end = _end_of_v6(shape[0])
        done += [text[start : shape.start()]]
        if end:
            done += [_network_or(shape[0][:end], _packed)]
        else:  # none starts here: go on after the first group
            end = _GROUP.match(shape[0]).end()  # type: ignore[union-attr]  # matches anything
            done += [shape[0][:end]]
        start = shape.start() + end
    return "".join([*done, text[start:]])


def _end_of_v6(shape: str) -> int:
    """The length of the longest address at the start of the shape; 0: none."""
    ends = [group.end() for group in _GROUP.finditer(shape) if group[0]]
    for end in sorted({*ends, *(end - 1 for end in ends)}, reverse=True):
        if ":" in shape[:end] and shape[:end].strip(":") and _packed(shape[:end]):
            return end
    return 0


def _network_or(text: str, read: Callable[[str], bytes | None]) -> str:
    address = read(text)
    return text if address is None else network(_as_v4(address))


def _v4_packed(text: str) -> bytes:
    """Also with leading zeros, which other programs write."""
    return bytes(int(part) for part in text.split("."))


def _packed(text: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):  # ValueError: the text has a NUL character
        return None


def _as_v4(address: bytes) -> bytes:
    places = [at for prefix, at in V4_IN_V6 if len(address) > 4 and address.startswith(prefix)]
    return address[places[0] : places[0] + 4] if places else address
