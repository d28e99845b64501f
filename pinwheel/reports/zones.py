"""The time zone of a brand, whose days and hours its reports and its page have. UTC unless a person sets another.

Only this writes it: naming a brand again leaves it as it is, and no merge, rollup or rebuild writes ``brands``.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pinwheel.clients.memsql import Connection, connect, execute, fetch, transaction
from pinwheel.core.days import NAMED_UTC, zone
from pinwheel.core.errors import AskedError
from pinwheel.core.settings import MemsqlSettings, load
from pinwheel.core.times import naive
from pinwheel.reports.words import cut

log = logging.getLogger(__name__)


def known(names: Iterable[str], of_brand: Mapping[int, str]) -> tuple[list[str], dict[str, str]]:
    """Those that are time zones, UTC first; and which brands have others, with what is wrong with them."""
    found, failed = [], {}
    for name in sorted(names, key=lambda n: (n != NAMED_UTC, n)):
        try:
            zone(name)
            found.append(name)
        except AskedError as error:
            brands = ", ".join(str(brand_id) for brand_id, its in sorted(of_brand.items()) if its == name)
            told = f"all reports of brand {cut(brands)}, in the time zone {name!r}"
            failed[told] = f"{error}. Set one with set_time_zone"
            log.error("time_zone=%s brands=%s: %s", name, brands, error)
    return found, failed


def set_by_form(form: Mapping[str, Any], by: str) -> str:
    """Set a brand's time zone as the Dag's form says; see ``set_zone``."""
    brand_id, time_zone, reason = int(form["brand_id"]), str(form["time_zone"]).strip(), str(form["reason"]).strip()
    if not reason:
        raise AskedError("reason: it is empty; say why, for whoever asks next why a brand's days changed")
    with connect(load(MemsqlSettings)) as connection, transaction(connection):
        return set_zone(connection, brand_id, time_zone, reason, by, naive(datetime.now(UTC)))


def set_zone(connection: Connection, brand_id: int, time_zone: str, reason: str, by: str, now: datetime) -> str:
    """Set a brand's time zone; returns what was done. Does not commit.

    Reports that are made from then on have days of that zone; those that are made keep theirs.

    Dying before the commit: nothing has changed. Twice: the second changes nothing, the reason included.

    Args:
        connection: of the merge's user.
        brand_id: of a brand that has a name.
        time_zone: as IANA writes it.
        reason: for whoever asks later.
        by: the person who sets it.
        now: naive UTC.

    Raises:
        AskedError: there is no such zone, or the brand has no row in ``brands``.
    """
    zone(time_zone)
    found = fetch(connection, "reports/zone", {"brand_id": brand_id})
    if not found:
        raise AskedError(f"brand_id: {brand_id} is not in the table brands; give it a row with its name first")
    (brand,) = found
    told = f"{brand['name']} ({brand_id})"
    if brand["time_zone"] == time_zone:
        return f"{told} has {time_zone} already: nothing to change"
    row = {"brand_id": brand_id, "time_zone": time_zone, "reason": reason, "set_by": by, "now": now}
    execute(connection, "reports/set_zone", row)
    return f"{told} has {time_zone} from now on, before {brand['time_zone']}"
