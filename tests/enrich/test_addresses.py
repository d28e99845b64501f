"""Addresses are read as gateways write them, and cut to their networks wherever they stand."""

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.enrich.addresses import bytes_without_addresses, network, packed, without_addresses

v4 = st.ip_addresses(v=4, network="128.0.0.0/1").filter(lambda a: int(a) % 256)
v6 = st.ip_addresses(v=6, network="2000::/3").filter(lambda a: int(a) % 2**80 and int(a) >> 112 != 0x2002)


def net(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))


def escaped(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(c), c) for c in text)


ESCAPES = [
    escaped(form) for form in ("{1}", "\\u{0:04x}", "\\x{0:02X}", "%{0:02x}", "%25{0:02X}", "&#{0};", "&#x{0:x};")
]


FORMS = [
    *("{}", '{{"ip":"{}"}}', '["{}"]', "'{}'", '{{"a":{{"client_ip":["x","{}"]}}}}', "{}, 10.1.1.1", "from {} to"),
    *(
        "q=ip%20{}",
        "u%40{}",
        "%22{}%22",
        '"client\\u00a0{}"',
        '"\\u2022{}"',
        "...{}",
        "host.{}",
        "T10:30:00 {}.443",
        "\\f{}",
        "\\x22{}\\x22",
        "#011{}#011",
        "\\047{}\\047",
        "interface{}",
    ),
    *('"\\"{}\\""', '{{\\"ip\\":\\"{}\\"}}', "a\\n{}", "x={};", "<{}>", "http://[{}]/", "({}).", "{}/32", "ip={}&b=1"),
]


@given(st.lists(v4 | v6, min_size=1), st.sampled_from(FORMS), st.sampled_from(ESCAPES))
def test_no_full_address_is_left_whatever_is_around_it(
    addresses: list[ipaddress.IPv4Address], form: str, written: Callable[[str], str]
) -> None:
    for address in addresses:
        cut = without_addresses(form.format(written(str(address))))
        assert net(address) in cut
        assert str(address) not in cut
        assert without_addresses(cut) == cut, "a second time changes nothing"


@given(st.lists(v4 | v6, min_size=1), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"]))
def test_in_any_encoding(addresses: list[ipaddress.IPv4Address], encoding: str) -> None:
    for address in addresses:
        cut = bytes_without_addresses(f'{{"ip":"{address}"}}'.encode(encoding))
        assert cut.decode(encoding) == f'{{"ip":"{net(address)}"}}'


@given(st.binary())
def test_bytes_are_never_an_error(value: bytes) -> None:
    assert isinstance(bytes_without_addresses(value), bytes)


@given(st.text(st.characters(exclude_characters=".:%\\")))
def test_other_texts_stay(text: str) -> None:
    assert without_addresses(text) == text
    assert bytes_without_addresses(text.encode()) == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05T11:59:58.123Z",
        "aa:bb:cc:dd:ee:ff",
        "CA:97:81:12:CA:1B:BD:CA:FA:C2:31",
        "v1.2.3",
        "999.1.1",
        "std::string",
        "at utf8::decode",
        "arn:aws:s3:::pins",
        "arn:aws:iam::123456789012:user/ann",
        "00:11:22:ff:fe:33:44:55",
        "Chrome/120.0.0.0 Safari/537.36",
        "a.b.c.d",
        ":::",
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    assert without_addresses(text) == text


@given(v4 | v6, st.sampled_from(["{}", "{}:443", "[{}]", "[{}]:8443", "{}, 10.0.0.1", " {} ", "{}%eth0", "{},bad"]))
def test_gateways_forms_are_read(address: ipaddress.IPv4Address, form: str) -> None:
    if form == "{}:443" and ":" in str(address):
        form = "[{}]:443"  # without brackets the port would be a part of the address
    found = packed(form.format(address))
    assert found == address.packed
    assert found is not None
    assert network(found) == net(address)


@pytest.mark.parametrize(
    "form", ["::ffff:c633:644d", "[::ffff:198.51.100.77]:1", "64:ff9b::c633:644d", "2002:c633:644d::1"]
)
def test_an_ipv4_address_written_as_ipv6_is_one(form: str) -> None:
    assert packed(form) == bytes([198, 51, 100, 77])
    assert "198.51.100.0/24" in without_addresses(form)


@pytest.mark.parametrize(
    "text", ["", None, "unknown", "8.8.8.8:", "8.8.8.8:x", "[8.8.8.8", "a, 8.8.8.8", "8.8.8", "\0"]
)
def test_other_texts_are_no_address(text: str | None) -> None:
    assert packed(text) is None


TEXT = '{"ip":"198.51.100.77","via":"2001:db8:1:2::77"}'
CUT = '{"ip":"198.51.100.0/24","via":"2001:db8:1::/48"}'


@pytest.mark.parametrize("code", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("before", [b"", b"\0", b"\xff\xfe", b"\xfe\xff", b"\0\0\0\0\x01", b"x", b"5\0"])
@pytest.mark.parametrize("after", [b"", b"\0", b"\xff"])
def test_addresses_in_bytes_are_cut_whatever_the_first_ones_say(code: str, before: bytes, after: bytes) -> None:
    cut = bytes_without_addresses(before + TEXT.encode(code) + after)
    assert cut == before + CUT.encode(code) + after
    assert bytes_without_addresses(cut) == cut


@pytest.mark.parametrize("dot", ["\\.", "\\\\."])
def test_a_pattern_of_an_address_is_one(dot: str) -> None:
    assert without_addresses(f"^198{dot}51{dot}100{dot}77$") == "^198.51.100.0/24$"


def test_a_zero_before_an_address_is_no_part_of_it() -> None:
    assert bytes_without_addresses(b"5\x00198.51.100.77") == b"5\x00198.51.100.0/24"


@pytest.mark.parametrize("part", [":", "1:", "1::", "\\", "1.", "a", "%25", ".:", "1:.", ".", "::", "1:1:1:1:1:1:1:1:"])
def test_a_long_text_takes_as_long_as_its_parts(part: str) -> None:
    """Each part is looked at a bounded number of times; with backtracking these take minutes."""
    assert without_addresses(part * (65_536 // len(part)) + "::")
    assert bytes_without_addresses(part.encode("utf-16") * (32_768 // len(part)))
