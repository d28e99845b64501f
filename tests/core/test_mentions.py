"""Mentions of a person's id: which numbers count."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pinwheel.core.mentions import OTHER_NUMBERS, Mention, numbers, person_hash
from pinwheel.erase.scan import OF_FIELD, OTHER_IDS, Id
from tests.support.properties import examples

LONG, SHORT = 81_234_567, 417
MENTIONS = ["user 81234567.", "user-81234567", "[81234567, 3]", "u81234567x", '{"a": "81234567"}', "/u/81234567?x=1"]
OTHERS = ["812345670", "181234567", "1.81234567", "81234567.5", "8123456", ""]
SHORT_MENTIONS = ["user_id=417", '{"user_id": 417, "pin_id": 3}', "pin_creator_id: [3, 417]", "user_id: [417, 3, 417]"]
OBSERVED = "user_id is out of its range in 27 of 109 rows; allowed are 10, observed [-5, 417]"
SHORT_OTHERS = ["rows=417", "user_id=41 rows=417", '{"user_id": 4170}', '{"pin_id": 417}', "417"]


@pytest.mark.parametrize("text", MENTIONS)
def test_a_long_id_counts_wherever_it_is_a_number(text: str) -> None:
    mention = Mention(LONG)
    assert mention.in_text(text)
    assert LONG in numbers(text.encode())
    assert mention.without(text) == text.replace("81234567", "0")


@pytest.mark.parametrize("text", OTHERS)
def test_parts_of_other_numbers_do_not_count(text: str) -> None:
    assert not Mention(LONG).in_text(text)
    assert not Id(LONG).mentions(text)
    assert LONG not in numbers(text.encode())


@pytest.mark.parametrize("text", [*SHORT_MENTIONS, OBSERVED])
def test_a_short_id_counts_after_a_person_s_field(text: str) -> None:
    mention = Mention(SHORT)
    assert mention.in_text(text)
    assert SHORT in numbers(text.encode())
    assert mention.without(text) == text.replace("417", "0")


@pytest.mark.parametrize("text", SHORT_OTHERS)
def test_a_short_id_does_not_count_elsewhere(text: str) -> None:
    assert not Mention(SHORT).in_text(text)
    assert not Id(SHORT).mentions(text)
    assert SHORT not in numbers(text.encode())


@pytest.mark.parametrize("data", ["81234567".encode("utf-16"), rb'{"user_id": "\u0038123456\u0037"}'])
def test_bytes_count_in_any_notation(data: bytes) -> None:
    assert Mention(LONG).in_bytes(data)
    assert Id(LONG).mentions(data)
    assert LONG in numbers(data)


def test_an_open_file_keeps_its_length() -> None:
    mention, data = Mention(LONG), b"user_id=81234567 rows=3 81234567\n"
    for place in mention.found_at(data):
        data = data[:place] + mention.blank + data[place + len(mention.blank) :]
    assert data == b"user_id=0        rows=3 0       \n"


PIECES = st.sampled_from(
    [
        "user_id",
        "creator_id",
        "417",
        "81234567",
        "-",
        ".",
        "5",
        " ",
        ", ",
        "[",
        "]",
        '"',
        ":",
        "=",
        "\n",
        "rows",
        "observed [",
    ]
)


@pytest.mark.parametrize("text", ["5-81234567", "5.-81234567", "81234567", "-81234567"])
def test_a_hyphen_is_no_sign(text: str) -> None:
    assert Mention(-LONG).in_text(text) == bool(Id(-LONG).mentions(text)) == text.startswith("-")


@examples(300)
@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from([LONG, SHORT, -LONG]), st.booleans())
def test_what_is_left_without_mentions_the_scan_does_not_find(text: str, user_id: int, of_field: bool) -> None:
    """The scan has rules of its own: the two must agree, or an erasure never ends or proves nothing."""
    mention, scan = Mention(user_id), partial(Id(user_id).mentions, of_field=of_field)
    mention = mention.of_field if of_field else mention
    assert mention.in_text(text) == bool(scan(text))
    assert not scan(mention.without(text))
    left = text.encode()
    for place in mention.found_at(left):
        left = left[:place] + mention.blank + left[place + len(mention.blank) :]
    assert not scan(left)


def test_the_scan_knows_the_same_columns_of_other_numbers() -> None:
    assert {*OF_FIELD, *OTHER_IDS} == OTHER_NUMBERS


def test_a_hash_needs_the_key() -> None:
    one, other = SecretStr("one"), SecretStr("other")
    assert person_hash(one, 7) == person_hash(one, 7) != person_hash(one, 8)
    assert person_hash(one, 7) != person_hash(other, 7)
