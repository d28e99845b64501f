"""Finds a person's id in texts and bytes that were not made to hold it: comments, quoted values, logs.

A long id (``LONG`` digits and more) counts wherever it stands alone as a number. A short one, such as 7, would be found
everywhere, so it counts only after a person's field: ``user_id=7``, ``"creator_id": [3, 7]``. So does any id where the
numbers are of something else, ``OTHER_NUMBERS``.
"""

import hmac
import re
from functools import cached_property

from pydantic import SecretStr

LONG = 6  # digits
# Columns, in the lake and in all tables, whose numbers are pins, offsets, counts or keys, which may look like an id.
OTHER_NUMBERS = {
    *("event_id", "link", "image_url", "item"),
    *("progress", "counts", "differences", "lost_offsets", "kafka_log", "judged_anew"),
    *("changes", "numbers", "digest", "folder", "erasure_id", "person_hash"),
}
MOST_DIGITS = 19  # of an int64
FIELD = r"(?:user|creator)_id(?:[^\n\[]{0,100}observed \[)?[^A-Za-z\n]{0,300}?"
BEFORE, AFTER = r"(?<!\d)(?<!\d\.)", r"(?!\d)(?!\.\d)"  # not part of a longer number, nor of a decimal one
ESCAPED = re.compile(rb"\\u00(3[0-9]|2[dD])")  # a digit, or a minus, as JSON may write it
ANY_LONG = re.compile(rf"{BEFORE}-?(\d{{{LONG},{MOST_DIGITS}}}){AFTER}".encode())
AFTER_FIELD = re.compile(rb"(?:user|creator)_id(?:[^\n\[]{0,100}observed \[)?([^A-Za-z\n]{0,310})")
INSTEAD = "0"  # a valid value in JSON; without a letter, so that further ids in a list still follow their field


def person_hash(key: SecretStr, user_id: int) -> str:
    """The keyed hash of a person's id, in hex: the same id has another one under another key."""
    return hmac.digest(key.get_secret_value().encode(), b"person %d" % user_id, "sha256").hex()


def numbers(data: bytes) -> set[int]:
    """Every id that bytes may mention, with either sign."""
    plain = _plain(data)
    short = [digits for after in AFTER_FIELD.findall(plain) for digits in re.findall(rb"\d+", after)]
    found = {int(digits) for digits in [*ANY_LONG.findall(plain), *short] if len(digits) <= MOST_DIGITS}
    return found | {-number for number in found}


def _plain(data: bytes) -> bytes:
    """As UTF-8, without escaped digits."""
    plain = data.replace(b"\0", b"")
    return ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), plain) if b"\\u" in plain else plain


class Mention:
    """The mentions of one id. ``digits``: what every text that mentions it contains, unless it is escaped."""

    def __init__(self, user_id: int, *, only_of_field: bool = False) -> None:
        self.digits = str(user_id)
        is_anywhere = len(self.digits.lstrip("-")) >= LONG and not only_of_field
        prefix = f"(){BEFORE}" if is_anywhere else f"({FIELD}){BEFORE}"
        pattern = f"{prefix}{re.escape(self.digits)}{AFTER}"
        self._text, self._bytes = re.compile(pattern), re.compile(pattern.encode())

    @cached_property
    def of_field(self) -> "Mention":
        """Its mentions after a person's field."""
        return Mention(int(self.digits), only_of_field=True)

    def in_column(self, name: str) -> "Mention":
        """Its mentions as they count in a column."""
        return self.of_field if name in OTHER_NUMBERS else self

    def in_text(self, text: str | None) -> bool:
        """Whether a text mentions it."""
        return bool(text) and self.digits in str(text) and self._text.search(str(text)) is not None

    def in_bytes(self, data: bytes | None) -> bool:
        """Whether bytes mention it: as UTF-8 or UTF-16, also with digits that JSON has escaped."""
        plain = _plain(data or b"")
        return self.digits.encode() in plain and self._bytes.search(plain) is not None

    def without(self, text: str) -> str:
        """The text with ``INSTEAD`` in the place of each mention."""
        while (after := self._text.sub(rf"\g<1>{INSTEAD}", text)) != text:  # of several after one field, each finds one
            text = after
        return text

    @property
    def blank(self) -> bytes:
        """The bytes to overwrite a mention with in an open file, of the same length."""
        return INSTEAD.encode().ljust(len(self.digits))

    def found_at(self, data: bytes) -> list[int]:
        """Where bytes mention it, as plain digits: the places to overwrite with ``blank``."""
        places: list[int] = []
        left = bytearray(data)
        while found := [match.end(1) for match in self._bytes.finditer(left)]:
            for place in found:
                left[place : place + len(self.blank)] = self.blank
            places += found
        return sorted(places)
