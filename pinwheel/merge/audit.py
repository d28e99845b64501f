"""Audit: the gate between staging and the reporting tables.

A failed CRITICAL expectation holds the slice until a person decides. Rows that break a row rule move to ``quarantine``
with every reason and the rest goes on; too many such rows hold the slice. A failed WARNING is only reported.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import SliceState
from pinwheel.merge import ledger
from pinwheel.merge.gate import Finding, Gate
from pinwheel.merge.ledger import Slice

log = logging.getLogger(__name__)

CHUNK_ROWS = 1000  # row numbers per statement


@dataclass(frozen=True)
class Verdict:
    """The gate's verdict on a slice. ``reasons`` says why it is held; empty when it may be merged."""

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    quarantined: int = 0

    @property
    def held(self) -> bool:
        """Whether the slice waits for a person."""
        return bool(self.reasons)


def audit(slice_: Slice, gate: Gate, connection: Connection, max_share: float) -> Verdict:
    """Check a slice that is staged, or accepted by a person, then hold it or let it pass.

    An accepted slice is never held again; rows that break a rule, or can't be stored, still go to quarantine.

    Args:
        slice_: state ``staged`` or ``accepted``.
        gate: Great Expectations.
        connection: its transactions are committed.
        max_share: of the slice's rows; the slice is held if a larger share breaks row rules.
    """
    accepted = slice_.state == SliceState.ACCEPTED
    findings = gate.check(slice_.table, slice_.slice_id) if _upserts(connection, slice_) else []
    blame = [f for f in findings if f.row_rule or (accepted and f.critical and f.about_rows)]
    reasons = [] if accepted else _reasons(findings, slice_.rows_read * max_share)
    broken = gate.broken_rows(slice_.table, slice_.slice_id, blame) if blame and not reasons else {}
    if not accepted and len(broken) > slice_.rows_read * max_share:
        reasons = [f"{len(broken)} of {slice_.rows_read} rows break row rules"]
    warned = tuple(_text(f) for f in findings if not f.critical and not f.row_rule)
    if reasons:
        return _hold(connection, slice_, Verdict(tuple(reasons), warned))
    return _pass(connection, slice_, broken, warned)


def _upserts(connection: Connection, slice_: Slice) -> int:
    rows = memsql.fetch(connection, "merge/audit/count_upserts", {"slice_id": slice_.slice_id}, table=slice_.table)
    return int(rows[0]["upserts"])


def _reasons(findings: Sequence[Finding], max_rows: float) -> list[str]:
    """Why the slice must be held, as far as the findings' counts alone can tell."""
    too_many = [f for f in findings if f.row_rule and f.rows > max_rows]
    return [_text(f) for f in (*(f for f in findings if f.critical), *too_many)]


def _text(finding: Finding) -> str:
    column = f"({finding.column})" if finding.column else ""
    return f"{finding.rule}{column}: {finding.rows} rows, observed {finding.observed}"


def _hold(connection: Connection, slice_: Slice, verdict: Verdict) -> Verdict:
    with memsql.transaction(connection):
        ledger.move(connection, slice_.slice_id, SliceState.STAGED, SliceState.HELD, asdict(verdict))
        _close(connection, slice_, 0, None)
    log.warning("held slice=%d table=%s reasons=%s", slice_.slice_id, slice_.table, "; ".join(verdict.reasons))
    return verdict


def _pass(
    connection: Connection, slice_: Slice, broken: Mapping[int, Sequence[str]], warned: tuple[str, ...]
) -> Verdict:
    verdict = Verdict(warnings=warned, quarantined=len(broken))
    detail = json.dumps(asdict(verdict), ensure_ascii=False) if (warned or broken) and not _decided(slice_) else None
    with memsql.transaction(connection):
        for numbers in _chunks(sorted(broken)):
            _quarantine(connection, slice_, {number: broken[number] for number in numbers})
        _close(connection, slice_, len(broken), detail)
    log.info(
        "audited slice=%d table=%s quarantined=%d warnings=%d", slice_.slice_id, slice_.table, len(broken), len(warned)
    )
    return verdict


def _decided(slice_: Slice) -> bool:
    """Whether the ledger's detail holds a person's decision, which must not be overwritten."""
    return slice_.state == SliceState.ACCEPTED


def _close(connection: Connection, slice_: Slice, quarantined: int, detail: str | None) -> None:
    params = {"slice_id": slice_.slice_id, "quarantined": quarantined, "detail": detail}
    memsql.execute(connection, "merge/audit/close_audit", params)


def _quarantine(connection: Connection, slice_: Slice, broken: Mapping[int, Sequence[str]]) -> None:
    named = {"slice_id": slice_.slice_id, "row_nums": list(broken)}
    rows = memsql.fetch(connection, "merge/audit/rows", named, table=slice_.table)
    kept = [_kept(slice_, row, broken[row["row_num"]]) for row in rows]
    memsql.execute_many(connection, "merge/audit/quarantine", kept)
    memsql.execute(connection, "merge/audit/unstage", named, table=slice_.table)


def _kept(slice_: Slice, row: Mapping[str, Any], reasons: Sequence[str]) -> dict[str, Any]:
    return {
        "slice_id": slice_.slice_id,
        "row_num": row["row_num"],
        "table_name": slice_.table,
        "event_id": row["event_id"],
        "kafka_partition": row["kafka_partition"],
        "kafka_offset": row["kafka_offset"],
        "reason": "; ".join(reasons),
        "row_json": json.dumps(dict(row), default=str, ensure_ascii=False),
    }


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), CHUNK_ROWS):
        yield numbers[start : start + CHUNK_ROWS]
