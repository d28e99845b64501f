"""The receipt of an erasure: what was erased where, by whose wish, the proof, and what is outside. Names nobody."""

from collections.abc import Mapping
from typing import Any

from pinwheel.clients.memsql import Row
from pinwheel.core.times import utc_now
from pinwheel.erase.scan import Found


def make(row: Row, found: Found, remarks: list[str], outside: list[str]) -> dict[str, Any]:
    """Of a finished erasure, as ``erasures`` has it."""
    return {
        "erasure_id": row["erasure_id"],
        "reason": row["reason"],
        "requested_by": row["requested_by"],
        "approved_by": row["approved_by"],
        "with_texts_of_pins": bool(row["erase_pins"]),
        "began_utc": row["started_at"].isoformat(" ", "seconds"),
        "ended_utc": utc_now().isoformat(" ", "seconds"),
        "erased": row["erased"],
        "proof": {"looked_at": dict(sorted(found.looked_at.items())), "found": sum(found.finds.values())},
        "remarks": remarks,
        "outside": outside,
    }


def told(receipt: Mapping[str, Any]) -> str:
    """The receipt as text."""
    asked = f"asked for by {receipt['requested_by']}, approved by {receipt['approved_by']}: {receipt['reason']}"
    lines = [
        f"Erasure {receipt['erasure_id']}, {asked}",
        f"from {receipt['began_utc']} to {receipt['ended_utc']} UTC"
        + (", with the texts of the person's pins" if receipt["with_texts_of_pins"] else ""),
        "erased:",
        *table(receipt["erased"]),
        f"proof: the id was found {receipt['proof']['found']} times in",
        *table(receipt["proof"]["looked_at"]),
        *receipt["remarks"],
        "outside, not erased:",
        *(f"  - {line}" for line in receipt["outside"]),
    ]
    return "\n".join(lines)


def table(counts: Mapping[str, int]) -> list[str]:
    """Counts by store, a line each."""
    width = max(map(len, counts), default=0)
    return [f"  {name.ljust(width)} {count:>12,}" for name, count in counts.items()] or ["  nothing"]
