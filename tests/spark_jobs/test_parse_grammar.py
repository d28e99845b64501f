"""The contract is strict: times are RFC 3339, values JSON, texts are texts, and unknown fields stay as they came."""

import json
import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.core.contract import DeadReason
from pinwheel.core.times import of_rfc_3339
from spark_jobs.transforms.raw_json import members, unknown_fields
from tests.support.contract import instant
from tests.support.records import PIN, encode, event, parser, records, rows_of

Row = dict[str, Any]


def created(*times: str) -> list[Row]:
    return rows_of(*(encode(event("pin", pin={**PIN, "created_at": time})) for time in times))


two = st.integers(0, 99).map("{:02}".format)
PLACES = [st.sampled_from(["0000", "0001", "0999", "1000", "2016", "2024", "9999"]), *[two] * 5]


@st.composite
def times(draw: st.DrawFn) -> str:
    """Times and what nearly is one: right ones, with some parts replaced."""
    day = draw(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)))
    parts = [f"{day:%Y}".zfill(4), f"{day:%m}", f"{day:%d}", f"{day:%H}", f"{day:%M}", f"{day:%S}"]
    for place in draw(st.sets(st.integers(0, 5), max_size=2)):
        parts[place] = draw(PLACES[place])
    if draw(st.booleans()):
        parts[1:] = ["12", "31", "23", "59", draw(st.sampled_from(["59", "60", "61"]))]
    fraction = draw(st.sampled_from(["", ".", ".5", ".123456", ".1234567890123", ".999999999"]))
    zone = draw(
        st.sampled_from(["Z", "z", "", "+00:00", "-00:00", "+23:59", "-12:30", "+24:00", "+0530", "+05", "-05:60"])
    )
    between = draw(st.sampled_from(["T", "T", "t", " ", "_"]))
    return f"{'-'.join(parts[:3])}{between}{':'.join(parts[3:])}{fraction}{zone}"


@given(st.lists(times(), min_size=20, max_size=60))
def test_times_are_read_exactly_as_rfc_3339_says(texts: list[str]) -> None:
    for text, row in zip(texts, created(*texts), strict=True):
        wanted = instant(text)
        assert (row["dead_reason"] is None) == (wanted is not None), (text, row["dead_detail"])
        assert row["pin_created_at"] == of_rfc_3339(text) == wanted, text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01 00:00:00+00:00"),
        ("2016-12-31T15:59:60.25-08:00", "2017-01-01 00:00:00.250000+00:00"),
        ("2026-03-05t11:59:58z", "2026-03-05 11:59:58+00:00"),
        ("2026-03-05T11:59:58.1234567890Z", "2026-03-05 11:59:58.123456+00:00"),
        ("2016-12-30T23:59:60Z", "None"),
        ("9999-12-31T23:59:59-05:00", "None"),
        ("0001-01-01T00:00:00+05:30", "None"),
        ("2026-03-05T24:00:00Z", "None"),
    ],
)
def test_times_at_the_edges(text: str, read: str) -> None:
    (row,) = created(text)
    assert str(row["pin_created_at"]) == read
    assert row["dead_reason"] == (None if read != "None" else DeadReason.BAD_FIELD)


def is_json(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


PIECES = [
    *("NaN", "nan", "Infinity", "-Infinity", "inf", "1", "-0.5e3", "null", "[1,]", "[1, 2 ,\n]", '{"a":1,}', "[,]"),
    *('"NaN"', '", nan ,]"', '"\\",]"', '[":nan"]', "[1,2]", '{"b":[NaN]}', "{}", "[]", "+1", ".5", "1.", "01", "'a'"),
]


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", ",", " ,\t"])), min_size=20, max_size=40))
def test_a_value_is_strict_json(values: list[tuple[str, str]]) -> None:
    texts = [f'{encode(event("login")).decode()[:-1]},"x":{value}{end}}}' for value, end in values]
    for text, row in zip(texts, rows_of(*(text.encode() for text in texts)), strict=True):
        assert (row["dead_reason"] is None) == is_json(text), text
        assert row["dead_reason"] in (None, DeadReason.NOT_JSON)


@pytest.mark.parametrize("value", [["a"], {"en": "x"}, True, False, [], {}])
@pytest.mark.parametrize("field", ["event_id", "text", "ip", "title", "category", "link"])
def test_a_text_is_no_list_object_or_truth_value(field: str, value: object) -> None:
    if field in PIN:
        sent, name = event("pin", pin={**PIN, field: value}), f"pin.{field}"
    else:
        sent, name = event("comment", **{field: value}), field
    (row,) = rows_of(encode(sent))
    assert (row["dead_reason"], row["dead_detail"].split("=")[0]) == (DeadReason.BAD_FIELD, name)


@pytest.mark.parametrize("text", ["[a]", "{", "true", "false", "[]", '["x"]', "null"])
def test_a_text_that_looks_like_one_lands(text: str) -> None:
    (row,) = rows_of(encode(event("comment", text=text)))
    assert (row["dead_reason"], row["text"]) == (None, text)


NUMBERS = ["7", "-2.5", "1" + "0" * 18, "9" * 40, "19.90", "12345678901234567.89", "1e3", "1E+400", "-1e-400", "0.10"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_a_text_with_the_same_digits(number: str) -> None:
    """Rounded, two event ids would be one."""
    sent = encode(event("comment", note='a "text": 1.50', more={"text": [1.50], "text ": 1.5}))[:-1]
    sent = sent.replace(b'"nice\\tone"', number.encode()) + b',"pin":{"title":1.50}}'
    pin = encode(event("pin", pin={**PIN, "title": 123321, "colour": 1}))
    pin = pin.replace(b"123321", number.encode()).replace(b'"colour": 1', b'"colour": 1.50')
    row, pinned = rows_of(sent, pin)
    assert (row["text"], pinned["title"], pinned["extra"]) == (number, number, '{"pin":{"colour":1.50}}')
    assert json.loads(row["extra"]) == {
        "note": 'a "text": 1.50',
        "more": {"text": [1.50], "text ": 1.5},
        "pin": {"title": 1.50},
    }


@pytest.mark.parametrize("number", ["1.0", "1e3", "1.5", "-0.0"])
def test_a_decimal_is_no_whole_number(number: str) -> None:
    (row,) = rows_of(encode(event("login", user_id=123321)).replace(b"123321", number.encode()))
    assert (row["dead_reason"], row["dead_detail"]) == (DeadReason.BAD_FIELD, f"user_id={number}")


RAW = [
    *("883406386745030.3", "12345678901234567.89", "19.90", "1E400", "-0", "1e-7", "null", "true", '"\\u0041\\/\\n"'),
    *('[1.10, {"a" : 2.0}]', '{ "b":"}],{" , "c":[]}', '"\\\\"', '"é\\""', "[[[]]]", '"\\\\\\","'),
]


@given(st.lists(st.sampled_from(RAW), min_size=1, max_size=6), st.sampled_from(["", " ", "\n\t"]))
def test_unknown_values_stay_byte_for_byte(values: list[str], space: str) -> None:
    more = [(f"x{n}", value) for n, value in enumerate(values)]
    joined = f"{space},{space}".join(f'"{name}"{space}:{space}{value}' for name, value in more)
    login = f"{encode(event('login')).decode()[:-1]},{joined}{space}}}"
    inside = f"{json.dumps(PIN)[:-1]},{joined}}}"
    pin = f'{encode(event("pin", pin="ABSENT")).decode()[:-1]},"pin":{inside}}}'
    first, second = (row["extra"] for row in rows_of(login.encode(), pin.encode()))
    kept = ",".join(f'"{name}":{value}' for name, value in more)
    assert first == f"{{{kept}}}"
    assert second == f'{{"pin":{{{kept}}}}}'


@given(st.dictionaries(st.text(), st.recursive(st.integers() | st.text(), st.lists, max_leaves=5)), st.sets(st.text()))
def test_members_are_all_of_an_object(payload: Row, known: set[str]) -> None:
    text = json.dumps(payload, ensure_ascii=False)
    assert {name: json.loads(value) for name, _, value in members(text)} == payload
    assert json.loads(unknown_fields(text, known)) == {k: v for k, v in payload.items() if k not in known}


def test_no_full_address_lands_in_extra_or_in_a_dead_letter() -> None:
    more = {"via": ["198.51.100.9", {"IP": "2001:db8:1:2::7"}], "log": "from 198.51.100.9:443"}
    good, bad = rows_of(encode(event("login", **more)), encode(event("login", user_id="198.51.100.9", **more)))
    assert json.loads(good["extra"]) == {
        "via": ["198.51.100.0/24", {"IP": "2001:db8:1::/48"}],
        "log": "from 198.51.100.0/24:443",
    }
    assert bad["dead_detail"] == "user_id=198.51.100.0/24"
    assert not re.search(rb"100\.9|203\.0\.113\.7|::7", bad["dead_value"])


def test_a_dead_letter_in_another_encoding_has_no_address() -> None:
    (row,) = rows_of('{"ip":"198.51.100.9"}'.encode("utf-16"))
    assert bytes(row["dead_value"]).decode("utf-16") == '{"ip":"198.51.100.0/24"}'
    assert len(parser().parse(records(b"\xff\x00\xd8")).to_pylist()) == 1
