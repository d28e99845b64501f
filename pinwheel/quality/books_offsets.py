"""The books of Kafka's offsets: each is a landed row, holds no record, was left out by a person, or was erased.

Explained offsets are closed: kept with the offsets that have no row, and not read again. The lake's number of rows,
which its log knows, says whether a row of a closed range has gone; then all are read, to name it.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.contract import DEAD_LETTER
from pinwheel.core.ranges import Range, common, cut_at, numbers, size, together, without
from pinwheel.lake import stretches
from pinwheel.lake.stretches import Stretch
from pinwheel.quality import books_rows
from pinwheel.quality.books_lake import LakeFiles
from pinwheel.quality.books_lines import PARTITION, SAMPLES, Line, some
from pinwheel.quality.books_rows import Earlier, Found
from pinwheel.quality.books_source import Looked, Source

ADDED = ("landed", "dead_letters", "without_record", "gaps", "unverified", "lost")  # with the erased: all offsets


@dataclass(frozen=True, eq=False)
class Part:
    """A partition of a stretch: where the books begin, where it is landed to, and its closed ranges."""

    stretch: Stretch
    partition: int
    since: int
    end: int
    closed: list[Row]

    @property
    def name(self) -> str:
        """For people."""
        return f"partition {self.partition} of {self.stretch.log}"

    @property
    def open(self) -> Range:
        """The offsets that are not closed yet."""
        return (self.closed[-1]["end_offset"] if self.closed else self.since), self.end

    @property
    def gap(self) -> Range:
        """The offsets that a person let the stream go on without."""
        return self.since, self.stretch.begin.get(self.partition, self.since)

    def overlaps(self, other: "Part") -> bool:
        """Whether the other stretch has landed offsets of this partition again."""
        mine = max(self.gap[1], other.gap[1]), min(self.end, other.end)
        return self.partition == other.partition and self.stretch != other.stretch and mine[0] < mine[1]


class OffsetBooks:
    """Draws up the books of all stretches of the lake.

    Args:
        connection: it is only read from; a snapshot.
        events: the lake, opened.
        db: temporary tables are made in it.
        source: Kafka.
        topic: stands for the log as long as the lake does not know it.
    """

    def __init__(
        self, connection: Connection, events: DeltaTable, db: duckdb.DuckDBPyConnection, source: Source, topic: str
    ) -> None:
        self._connection, self._events, self._db, self._source = connection, events, db, source
        self._topic = topic
        self.files = LakeFiles(events)
        self.closes: list[Row] = []  # the ranges to close
        self._under_way = 0  # rows that are noted as erased and not gone yet
        closed = defaultdict(list)
        for row in memsql.fetch(connection, "quality/books/closed_offsets"):
            row["absent"] = [(a, b) for a, b in json.loads(zlib.decompress(row["absent"]))]
            closed[row["stretch"], row["kafka_partition"]].append(row)
        self._parts = [p for s in stretches.stretches(events, topic) for p in self._parts_of(s, closed)]
        logs = {part.stretch.log for part in self._parts}
        self._erased = {log: self._erased_of_log(log) for log in logs}

    def _parts_of(self, stretch: Stretch, closed: Mapping[tuple[int, int], list[Row]]) -> list[Part]:
        partitions = sorted({*self.files.partitions, *(stretch.since or {}), *stretch.begin})
        parts = []
        for p, end in sorted(stretches.ends(self._events, stretch, partitions).items()):
            rows = closed.get((stretch.number, p), [])
            since = rows[0]["first_offset"] if rows else (stretch.since or {}).get(p, 0)
            parts.append(Part(stretch, p, since, end, rows))
        return parts

    def _erased_of_log(self, log: str) -> dict[int, dict[int, bool]]:
        erased: dict[int, dict[int, bool]] = defaultdict(dict)
        for row in memsql.fetch(self._connection, "quality/books/erased", {"kafka_log": log}):
            erased[row["kafka_partition"]][row["kafka_offset"]] = row["event_type"] == DEAD_LETTER
        return erased

    def lines(self, removed: int) -> list[Line]:
        """The lines of all partitions; ``removed``: rows of closed days that have left the lake by their age.

        Raises:
            LakeError: a file of the lake can't be read.
        """
        lines: dict[tuple[str, int], Line] = {}
        for number in sorted({part.stretch.number for part in self._parts}):
            parts = [part for part in self._parts if part.stretch.number == number]
            for line in self._lines([part for part in parts if part.since < part.end]):
                kept = lines.setdefault((line.name, line.number), Line(PARTITION, line.name, line.number))
                kept.counts.update(line.counts)
                kept.differences += line.differences
        if not lines and self.files.rows:
            lines[self._topic, 0] = Line(PARTITION, self._topic, 0)  # rows, and no offset that they were landed from
        if lines:
            self._compare_total(lines, removed)
        return list(lines.values())

    @property
    def all_closed(self) -> bool:
        """Whether every landed offset is explained, so that what is closed has no row in an open range."""
        return all(part.open[0] >= part.open[1] for part in self._parts if part.since < part.end)

    def _lines(self, parts: list[Part]) -> list[Line]:
        files, blurred = self._as_of(parts)
        asked = {part.partition: part.open for part in parts if part.open[0] < part.open[1]}
        earlier = [e for part in parts for e in self._earlier(part)]
        found = books_rows.find(files, self._db, asked, earlier) if asked else {}
        for one in found.values() if blurred else ():
            one.twice = []  # the other row is of the later log
        under_way = self._under_way
        lines = [self._line(part, found.get(part.partition), blurred) for part in parts]
        if files is not self.files:
            self._under_way = under_way  # what was there then may have been erased since
        return lines

    def _as_of(self, parts: list[Part]) -> tuple[LakeFiles, bool]:
        """The lake before it had later rows with the same offsets; True: that version is gone, and they are mixed."""
        open_ = [part for part in parts if part.open[0] < part.open[1]]
        number = parts[0].stretch.number if parts else 0
        later = [other for other in self._parts if other.stretch.number > number]
        if not any(part.overlaps(other) for part in open_ for other in later):
            return self.files, False
        try:
            return LakeFiles(DeltaTable(self._events.table_uri, version=open_[0].stretch.version)), False
        except (DeltaError, OSError):
            return self.files, True

    def _earlier(self, part: Part) -> Iterable[Earlier]:
        for other in self._parts:
            if other.stretch.number < part.stretch.number and other.overlaps(part):
                for row in other.closed:
                    there = [(row["first_offset"], row["end_offset"])]
                    if not row["is_blurred"]:
                        there = without(without(there, row["absent"]), together(self._erased_in(other, there[0])))
                    for range_ in cut_at(there, *part.open):
                        yield Earlier(part.partition, range_, bool(row["is_blurred"]))

    def _erased_in(self, part: Part, range_: Range) -> dict[int, bool]:
        """The erased offsets in a range, in order, each with whether it was a dead letter."""
        mine = self._erased[part.stretch.log].get(part.partition, {})
        return {offset: dead for offset, dead in mine.items() if range_[0] <= offset < range_[1]}

    def _line(self, part: Part, found: Found | None, blurred: bool) -> Line:
        line = Line(PARTITION, part.stretch.log, part.partition)
        for row in part.closed:
            line.counts.update({name: row[name] for name in ADDED})
            if row["lost"]:
                line.differences.append(_lost(part, json.loads(row["lost_offsets"]), row["lost"]))
        if found is not None:
            part = self._begun(part, found)
            self._add_open(line, part, found, blurred)
        erased = self._erased_in(part, (part.since, part.end))
        dead = sum(erased.values())
        line.counts.update({"offsets": part.end - part.since, "erased": len(erased)})
        line.counts.update({"landed": dead - len(erased), "dead_letters": -dead})
        return line

    def _begun(self, part: Part, found: Found) -> Part:
        """The books of a lake that does not know where it began start with its first row."""
        if part.stretch.since is not None or part.closed:
            return part
        since = part.end if found.first is None else found.first
        found.missing = cut_at(found.missing, since, part.end)
        return replace(part, since=since)

    def _add_open(self, line: Line, part: Part, found: Found, blurred: bool) -> None:
        erased = self._erased_in(part, part.open)
        gone = common(together(erased), found.missing)
        self._under_way += len(erased) - size(gone)
        absent = without(found.missing, gone)
        unexplained = without(absent, [part.gap])
        looked = self._source.look(part.stretch.log, part.partition, unexplained)
        counts = _counts(found, [erased[o] for o in numbers(gone)], absent, unexplained, looked)
        line.counts.update(counts | {"unverified": counts["unverified"] + size(looked.waiting)})
        if looked.lost:
            line.differences.append(_lost(part, looked.lost, len(looked.lost)))
        if found.twice:
            line.differences.append(_twice(part, found))
        if not looked.waiting and not found.twice and part.open[0] < part.open[1]:
            self._close(part, counts, absent, looked.lost, blurred)

    def _close(
        self, part: Part, counts: Mapping[str, int], absent: list[Range], lost: list[int], blurred: bool
    ) -> None:
        row: dict[str, Any] = {
            **counts,
            "stretch": part.stretch.number,
            "kafka_partition": part.partition,
            "first_offset": part.open[0],
            "end_offset": part.open[1],
            "kafka_log": part.stretch.log,
            "is_blurred": int(blurred),
            "lost_offsets": json.dumps(lost[:SAMPLES]),
        }
        self.closes.append(row | {"absent": zlib.compress(json.dumps(absent).encode())})
        part.closed.append(row | {"absent": absent})  # for later stretches with the same offsets

    def _compare_total(self, lines: Mapping[tuple[str, int], Line], removed: int) -> None:
        """Compare the lake's number of rows with what is explained, and name what is not."""
        told = any("twice" in difference for line in lines.values() for difference in line.differences)
        if told or any(row["is_blurred"] for part in self._parts for row in part.closed):
            return
        explained = sum(line.counts["landed"] + line.counts["dead_letters"] for line in lines.values()) - removed
        if self.files.rows == explained + self._under_way:
            return
        named = not any(one.overlaps(other) for one in self._parts for other in self._parts)
        if named and (self._name_changes(lines, removed) or self.files.rows == explained + self._under_way):
            return
        text = f"the lake has {self.files.rows:,} rows, and closed offsets explain {explained:,}"
        next(iter(lines.values())).differences.append(text)

    def _name_changes(self, lines: Mapping[tuple[str, int], Line], removed: int) -> bool:
        """Read the closed ranges again, and name what has changed in them; whether something has."""
        gone: list[tuple[Range, Part]] = []
        named = False
        self._under_way = 0
        for part, found in self._read_again():
            erased = together(self._erased_in(part, (part.since, part.closed[-1]["end_offset"])))
            absent = [r for row in part.closed for r in row["absent"]]
            self._under_way += size(without(erased, found.missing))
            gone += [(range_, part) for range_ in without(without(found.missing, absent), erased)]
            if found.twice:
                lines[part.stretch.log, part.partition].differences.append(_twice(part, found))
                named = True
        for part, ranges in _after(removed, gone).items():  # the first ones have left by their age
            line = lines[part.stretch.log, part.partition]
            line.counts["landed"] -= size(ranges)
            line.differences.append(f"{part.name}: gone from the lake: {some(numbers(ranges), size(ranges))}")
        return named or size(range_ for range_, _ in gone) > removed

    def _read_again(self) -> Iterator[tuple[Part, Found]]:
        for number in sorted({part.stretch.number for part in self._parts}):
            parts = {p.partition: p for p in self._parts if p.stretch.number == number and p.closed}
            asked = {p: (part.since, part.closed[-1]["end_offset"]) for p, part in parts.items()}
            for p, found in books_rows.find(self.files, self._db, asked, []).items() if asked else ():
                yield parts[p], found


def _counts(
    found: Found, erased: list[bool], absent: list[Range], unexplained: list[Range], looked: Looked
) -> dict[str, int]:
    """The explanation of open offsets; ``erased``: also these, whether they were dead letters."""
    dead = sum(erased)
    known = {"unverified": size(looked.expired), "lost": len(looked.lost)}
    return {
        "landed": found.rows - found.dead + len(erased) - dead,
        "dead_letters": found.dead + dead,
        "gaps": size(absent) - size(unexplained),
        "without_record": size(unexplained) - sum(known.values()) - size(looked.waiting),
        **known,
    }


def _after(count: int, ranges: list[tuple[Range, Part]]) -> dict[Part, list[Range]]:
    """The ranges by part, but for the lowest ``count`` offsets."""
    left: dict[Part, list[Range]] = defaultdict(list)
    for (start, end), part in sorted(ranges, key=lambda one: one[0]):
        skipped = min(count, end - start)
        count -= skipped
        if start + skipped < end:
            left[part].append((start + skipped, end))
    return left


def _lost(part: Part, lost: list[int], count: int) -> str:
    return f"{part.name}: not landed, though Kafka has it: {some(lost, count)}"


def _twice(part: Part, found: Found) -> str:
    return f"{part.name}: twice in the lake: {some(found.twice, len(found.twice))}"
