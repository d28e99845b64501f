"""IP addresses in texts: read as gateways write them, and cut to their networks wherever they stand.

Only networks are stored: an address's /24 for IPv4, its /48 for IPv6.
"""

import json
import re
import socket
import string
from collections.abc import Callable

V4_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:a.b.c.d, an IPv4 address written as IPv6

# A character that an address may have, plain or as JSON or a URL escapes it, also several times over.
_ESCAPED = r"\\{1,8}u00(?:3[0-9aA]|2[eE]|4[1-6]|6[1-6])|%(?:25){0,4}(?:3[0-9aA]|2[eE])"
_RUN = re.compile(rf"(?:[0-9A-Fa-f:.]|{_ESCAPED}){{3,}}")
_ESCAPE = re.compile(r"(?:\\+u00|%(?:25)*)([0-9A-Fa-f]{2})")
_V4 = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\.?[0-9]|/24)")
_DIGIT = re.compile("[0-9]")
_LETTER_BEFORE = re.compile(r"(?<!\\)[A-Za-z]$")  # not the end of an escape, such as \n
_V6_LONGEST = 45  # characters, with an IPv4 address as its end


def packed(text: str | None) -> bytes | None:
    """The address as 4 or 16 bytes; None when the text is no address.

    Taken as gateways write it: with a port (``a.b.c.d:443``, ``[v6]:443``), with a zone (``fe80::1%eth0``), or the
    first of a list.
    """
    if not text:
        return None
    first = text.split(",", 1)[0].strip()
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::[0-9]{1,5})?", first)
    if bracketed:
        first = bracketed[1]
    elif first.count(":") == 1:
        first = re.sub(r":[0-9]{1,5}$", "", first)
    found = _packed(first.split("%", 1)[0])
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
    """As ``without_addresses``, for a value of any encoding; bytes that are no text stay as they are."""
    encoding = json.detect_encoding(value)  # by a mark at the start, or by where the zeros are
    errors = "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass"
    try:
        return without_addresses(value.decode(encoding, errors)).encode(encoding, errors)
    except UnicodeError:
        return without_addresses(value.decode("latin-1")).encode("latin-1")


def _cut_run(run: re.Match[str]) -> str:
    text = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), run[0])
    after = run.string[run.end() : run.end() + 3]
    cut = _cut(text)
    is_network = after in ("/24", "/48") and cut == text + after
    is_word = not _DIGIT.search(text) and _is_glued(run)  # std::string
    return run[0] if cut == text or is_network or is_word else cut


def _is_glued(run: re.Match[str]) -> bool:
    return bool(_LETTER_BEFORE.search(run.string[max(0, run.start() - 2) : run.start()])) or (
        run.string[run.end() : run.end() + 1].isalpha()
    )


def _cut(text: str) -> str:
    if "::" in text or text.count(":") >= 6:  # a time of day has two colons, a hardware address five
        text = "".join(part if part.startswith(":::") else _cut_v6(part) for part in re.split(r"(:{3,})", text))
    return _V4.sub(lambda v4: _network_or(v4[0], _v4_packed), text)


def _cut_v6(text: str) -> str:
    """Cut IPv6 addresses, from left to right, the longest first."""
    done, start = "", 0
    while start < len(text):
        end = _end_of_v6(text, start)
        done += _network_or(text[start:end], _packed) if end else text[start]
        start = end or start + 1
    return done


def _end_of_v6(text: str, start: int) -> int | None:
    """Where the longest address from here ends; None: none starts here."""
    if start and text[start - 1] in string.hexdigits:
        return None
    second = text.find("::", text.find("::", start) + 1)  # an address has it once
    longest = min(len(text), start + _V6_LONGEST, second if second > 0 else len(text))
    for end in range(longest, start + 1, -1):
        is_end = end == len(text) or text[end] not in string.hexdigits
        if is_end and ":" in text[start:end] and _packed(text[start:end]):
            return end
    return None


def _network_or(text: str, read: Callable[[str], bytes | None]) -> str:
    address = read(text)
    return text if address is None else network(_as_v4(address))


def _v4_packed(text: str) -> bytes | None:
    """Also with leading zeros, which other programs write."""
    parts = [int(part) for part in text.split(".")]
    return bytes(parts) if max(parts) <= 255 else None


def _packed(text: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):  # ValueError: the text has a NUL character
        return None


def _as_v4(address: bytes) -> bytes:
    return address[12:] if address.startswith(V4_MAPPED) else address
