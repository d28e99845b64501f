"""Locations: batches, both record shapes, and malformed addresses."""

import pickle
from pathlib import Path
from typing import Any

import maxminddb
import pyarrow as pa
import pytest

from pinwheel.core.contract import LOCATION_COLUMNS
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import GeoSettings
from pinwheel.enrich import locations
from pinwheel.enrich.locations import Locator

FLAT = {
    "city": "Lyon",
    "country_code": "FR",
    "latitude": 45.75,
    "longitude": 4.85,
    "postcode": "",
    "state1": "",
    "state2": "",
    "timezone": "",
}
NESTED = {
    "city": {"geoname_id": 1, "names": {"de": "Lyon", "en": "Lyons"}},
    "country": {"iso_code": "FR", "names": {"en": "France"}},
    "location": {"latitude": 45.75, "longitude": 4.85, "accuracy_radius": 10},
    "subdivisions": [{"iso_code": "ARA", "names": {"en": "Auvergne-Rhone-Alpes"}}, {"names": {"en": "Rhone"}}],
}


class FakeReader:
    """A location file with these records."""

    def __init__(self, records: dict[str, Any]) -> None:
        self.records = records
        self.asked: list[str] = []

    def get(self, address: str) -> Any:
        self.asked.append(address)
        found = self.records.get(address)
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Locator, FakeReader]:
    file = tmp_path / "city.mmdb"
    file.touch()
    reader = FakeReader({"5.5.5.5": FLAT, "6.6.6.6": NESTED, "7.7.7.7": {"country": {"iso_code": "FR"}}})
    monkeypatch.setattr(locations, "_open", lambda path: locations.Database(reader, "city 2026-01-01"))
    return Locator(GeoSettings(geo_ipv4_path=file, geo_ipv6_path=file)), reader


def test_flat_and_nested_records(fake: tuple[Locator, FakeReader]) -> None:
    found = fake[0].locate(pa.array(["5.5.5.5", "6.6.6.6", "7.7.7.7"]))
    assert [f.name for f in found.type] == [c.name for c in LOCATION_COLUMNS]
    build = "city 2026-01-01"
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("FR", None, "Lyon", 45.75, 4.85, "5.5.5.0/24", build),
        ("FR", "Auvergne-Rhone-Alpes", "Lyons", 45.75, 4.85, "6.6.6.0/24", build),
        ("FR", None, None, None, None, "7.7.7.0/24", build),
    ]


def test_each_distinct_address_is_looked_up_once(fake: tuple[Locator, FakeReader]) -> None:
    locator, reader = fake
    for _ in range(2):
        locator.locate(pa.array(["5.5.5.5", None, "5.5.5.5", "8.8.4.4", "5.5.5.5"]))
    assert reader.asked == ["5.5.5.5", "8.8.4.4"]


@pytest.mark.parametrize("text", ["x", "-", "unknown", "1.2.3", "01.2.3.4", "1.2.3.4/25", "1.2.3.4\0", "::g", "é"])
def test_what_is_no_address_is_nowhere_and_says_so(fake: tuple[Locator, FakeReader], text: str) -> None:
    found = fake[0].locate(pa.array(["5.5.5.5", text], pa.string())).to_pylist()
    assert found[0]["city"] == "Lyon"
    assert {name for name, value in found[1].items() if value is not None} == {"geo_version"}
    assert found[1]["geo_version"] == "unreadable", "and nothing of the value, which may be private"


@pytest.mark.parametrize("text", [None, "", " "])
def test_no_value_is_nowhere(fake: tuple[Locator, FakeReader], text: str | None) -> None:
    assert set(fake[0].locate(pa.array([text], pa.string())).to_pylist()[0].values()) == {None}


def test_unknown_addresses_keep_their_network(fake: tuple[Locator, FakeReader]) -> None:
    networks = {
        "203.0.113.77": "203.0.113.0/24",
        "2001:db8:aaaa:bbbb::1": "2001:db8:aaaa::/48",
        "::ffff:5.5.5.5": "5.5.5.0/24",
    }
    found = fake[0].locate(pa.array(list(networks))).to_pylist()
    assert [row["ip_network"] for row in found] == list(networks.values())
    assert [row["city"] for row in found] == [None, None, "Lyon"], "a mapped IPv4 address is that address"


@pytest.mark.parametrize("error", [ValueError("IPv6 in an IPv4 file"), maxminddb.InvalidDatabaseError("bad spot")])
def test_a_lookup_that_fails_does_not_fail_the_batch(fake: tuple[Locator, FakeReader], error: Exception) -> None:
    locator, reader = fake
    reader.records["2600::1"] = error
    found = locator.locate(pa.array(["2600::1", "5.5.5.5"])).to_pylist()
    assert (found[0]["country_code"], found[0]["ip_network"], found[1]["city"]) == (None, "2600::/48", "Lyon")


def test_no_rows(fake: tuple[Locator, FakeReader]) -> None:
    assert len(fake[0].locate(pa.array([], pa.string()))) == 0
    assert fake[0].locate(pa.array([None], pa.string())).to_pylist()[0]["city"] is None


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"nowhere.mmdb does not exist.*make run.*PINWHEEL_GEO_IPV4_PATH"):
        Locator(GeoSettings(geo_ipv4_path=tmp_path / "nowhere.mmdb"))


def test_a_broken_file_says_so(tmp_path: Path) -> None:
    file = tmp_path / "city.mmdb"
    file.write_bytes(b"half a download")
    locator = Locator(GeoSettings(geo_ipv4_path=file, geo_ipv6_path=file))
    with pytest.raises(MissingPartError, match="can't be read"):
        locator.locate(pa.array(["5.5.5.5"]))


def test_the_real_files() -> None:
    settings = GeoSettings()
    if not (settings.geo_ipv4_path.is_file() and settings.geo_ipv6_path.is_file()):
        pytest.skip(f"{settings.geo_ipv4_path} is not there; make run fetches it")
    locator = pickle.loads(pickle.dumps(Locator(settings)))
    found = locator.locate(pa.array(["8.8.8.8", "2001:4860:4860::8888", "192.168.1.1"])).to_pylist()
    assert (found[0]["country_code"], found[0]["city"]) == ("US", "Mountain View")
    assert found[0]["longitude"] == pytest.approx(-122.08, abs=0.1)
    assert found[1]["country_code"] is not None
    assert found[1]["ip_network"] == "2001:4860:4860::/48"
    assert (found[2]["country_code"], found[2]["ip_network"]) == (None, "192.168.1.0/24")
    assert found[0]["geo_version"].startswith(settings.geo_ipv4_path.stem + " 20")


def test_a_full_cache_starts_anew(fake: tuple[Locator, FakeReader], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "CACHED_ADDRESSES", 2)
    locator, reader = fake
    for addresses in (["5.5.5.5", "6.6.6.6"], ["6.6.6.6", "7.7.7.7"], ["5.5.5.5", "6.6.6.6", "7.7.7.7"]):
        found = locator.locate(pa.array([*addresses, None]))
        assert [n and n[0] for n in found.field("ip_network").to_pylist()] == [*(a[0] for a in addresses), None]
    assert len(reader.asked) == 2 + 2 + 3
