"""The lake knows which log it is landed from, and goes on with no other before a person says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from deltalake import DeltaTable
from tenacity import retry, stop_after_delay, wait_fixed

from pinwheel.clients import kafka
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import SourceLogError
from pinwheel.core.settings import SourceSettings, load
from pinwheel.lake import events_table, stretches
from pinwheel.lake.landing import Landing
from pinwheel.local.kafka import client
from pinwheel.local.stack import Stack
from pinwheel.merge.prepare import choose
from pinwheel.stream import source_log
from tests.support.lake_rows import row, write


@pytest.fixture
def settings(stack_with_kafka: Stack, tmp_path: Path) -> SourceSettings:
    """An empty lake, and a topic of two partitions with 20 records each."""
    broker = client(stack_with_kafka.settings, stack_with_kafka.credentials)
    made = load(SourceSettings, **broker, topic=f"t{uuid4()}", lake_uri=str(tmp_path / "lake"))
    make_topic(made, 20)
    events_table.create_table(made.events_uri)
    return made


@cache  # a client that is thrown away takes its answers with it
def admin(settings: SourceSettings) -> AdminClient:
    return kafka.admin_client(settings)


def make_topic(settings: SourceSettings, records: int) -> None:
    create_topic(settings)
    producer = Producer(kafka.librdkafka_options(settings))
    for partition in (0, 1):
        for _ in range(records):
            producer.produce(settings.topic, b"{}", partition=partition)
    assert producer.flush(30) == 0


@retry(stop=stop_after_delay(30), wait=wait_fixed(0.2), reraise=True)  # a deleted topic is there for a while
def create_topic(settings: SourceSettings) -> None:
    admin(settings).create_topics([NewTopic(settings.topic, 2)])[settings.topic].result(30)


def remake_topic(settings: SourceSettings, records: int) -> None:
    admin(settings).delete_topics([settings.topic])[settings.topic].result(30)
    make_topic(settings, records)


def land(settings: SourceSettings, log: str, first: int, end: int) -> None:
    Landing(settings.events_uri, log).commit(write(settings.events_uri, [row(n) for n in range(first, end)]))


def landed(settings: SourceSettings) -> dict[int, int]:
    return events_table.landed_offsets(settings.events_uri, settings.topic, [0, 1])


def lags(settings: SourceSettings) -> dict[int, int | None]:
    return source_log.lags(settings, events_table.open_table(settings.events_uri), kafka.held_offsets(settings))


def test_lag_is_unknown_against_another_log(settings: SourceSettings) -> None:
    log, _ = source_log.claim(settings)
    land(settings, log, 0, 5)
    assert lags(settings) == {0: 15, 1: 20}
    remake_topic(settings, 7)
    assert lags(settings) == {0: None, 1: None}


def test_a_lake_keeps_its_log(settings: SourceSettings) -> None:
    log, _ = source_log.claim(settings)
    land(settings, log, 0, 5)
    assert source_log.claim(settings)[0] == log
    assert events_table.log_of(DeltaTable(settings.events_uri)) == log
    assert landed(settings) == {0: 5}
    assert source_log.refusal(settings) is None
    with pytest.raises(SourceLogError, match="goes on by itself"):
        source_log.go_on(settings, "latest", "to be sure", "ann", False)


def test_a_lake_from_before_takes_its_topic_over_with_its_offsets(
    settings: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings, settings.topic, 0, 7)
    with dies_before_the_second_commit(monkeypatch):
        source_log.claim(settings)
    assert landed(settings) == {0: 7}, "it died between the two commits"
    log, _ = source_log.claim(settings)
    assert landed(settings) == {0: 7}
    land(settings, log, 7, 9)
    assert landed(settings) == {0: 9}


@contextmanager
def dies_before_the_second_commit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(source_log, "_remember", dies)
        with pytest.raises(KeyboardInterrupt):
            yield


def test_a_topic_made_anew_is_refused_until_a_person_lets_the_stream_go_on(
    settings: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = source_log.claim(settings)
    land(settings, old, 0, 15)
    remake_topic(settings, 30)
    with pytest.raises(SourceLogError) as refused:
        source_log.claim(settings)
    new = source_log.gap(settings, "earliest", "made anew on Monday", "ann").log
    assert old in str(refused.value)
    assert new in str(refused.value)
    assert source_log.refusal(settings) == str(refused.value)
    assert landed(settings) == {0: 15}, "nothing was landed, nothing forgotten"

    told: list[str] = []
    monkeypatch.setattr(source_log, "raise_alert", lambda alert, subject, text: told.append(text))
    dry = source_log.go_on(settings, "earliest", "made anew on Monday", "ann", True)
    assert (dry.missing, dry.offsets, told) == ({0: (15, None)}, {0: 0, 1: 0}, [])
    with dies_before_the_second_commit(monkeypatch):
        source_log.go_on(settings, "earliest", "made anew on Monday", "ann", False)
    assert source_log.refusal(settings), "it died between the two commits"
    words = f"ann let the stream go on without offsets of {old} (partition 0: 15 to its end): made anew on Monday"
    assert told == [words], "dying after the commits, it could not be told any more"
    source_log.go_on(settings, "earliest", "made anew on Monday", "ann", False)
    assert told == [words, words]
    assert source_log.claim(settings) == (new, {0: 0, 1: 0})
    assert landed(settings) == {0: 0, 1: 0}
    land(settings, new, 0, 30)
    assert landed(settings) == {0: 30, 1: 0}

    first, second = stretches.stretches(DeltaTable(settings.events_uri), settings.topic)
    assert (first.log, first.since, first.end) == (old, {0: 0, 1: 0}, {0: 15})
    assert (second.log, second.since, second.begin, second.by) == (new, {0: 0, 1: 0}, {0: 0, 1: 0}, "ann")
    commits = events_table.commits(DeltaTable(settings.events_uri), -1)
    gap = next(c.gap for c in commits if c.gap)
    assert (gap["by"], gap["reason"], gap["missing"]) == ("ann", "made anew on Monday", {"0": [15, None]})


def test_the_tables_progress_starts_again_at_the_gap(settings: SourceSettings) -> None:
    log, _ = source_log.claim(settings)
    land(settings, log, 0, 5)
    source_log.continue_from(settings, source_log.gap(settings, '{"0": 12, "1": 3}', "lost", "ann"))
    land(settings, log, 12, 14)
    commits = events_table.commits(DeltaTable(settings.events_uri), -1)
    start, seen = -1, []
    while (found := choose(commits[start + 1 :], TABLES["repins"], start, 1000)) is not None:
        reached = {p: r.next_offset for p, r in found.progress.items()}
        seen.append((reached, found.restarts, found.empty))
        start = found.versions.to
    assert [s for s in seen if s[0]] == [({0: 5}, False, False), ({0: 12, 1: 3}, True, True), ({0: 14}, False, False)]


def test_a_truncated_log_is_refused(settings: SourceSettings) -> None:
    log, _ = source_log.claim(settings)
    land(settings, log, 0, 21)
    refusal = source_log.refusal(settings)
    assert refusal is not None
    assert "ends at offset 20, but 21 is the next one to land: the log was truncated" in refusal


def dies(*_: Any) -> None:
    raise KeyboardInterrupt


def test_expired_records_are_refused_with_their_number(
    settings: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, _ = source_log.claim(settings)
    land(settings, log, 0, 5)
    cut = [TopicPartition(settings.topic, 0, 12)]
    for future in admin(settings).delete_records(cut).values():
        future.result(30)
    with pytest.raises(SourceLogError, match="7 records have expired"):
        source_log.claim(settings)
    gap = source_log.gap(settings, "earliest", "we were away", "ann")
    assert gap.missing == {0: (5, 12)}
    with monkeypatch.context() as patch:
        patch.setattr(Landing, "go_on_at", dies)
        with pytest.raises(KeyboardInterrupt):
            source_log.continue_from(settings, gap)
    assert source_log.refusal(settings), "it died between the two commits"
    source_log.continue_from(settings, gap)
    source_log.continue_from(settings, gap)
    assert source_log.claim(settings)[0] == log
    assert landed(settings) == {0: 12, 1: 0}
    first, second = stretches.stretches(DeltaTable(settings.events_uri), settings.topic)
    assert (first.end, second.since, second.begin) == ({0: 5}, {0: 5, 1: 0}, {0: 12, 1: 0})


def test_expired_records_of_a_partition_that_never_landed_are_refused_too(settings: SourceSettings) -> None:
    first, second = TopicPartition(settings.topic, 0, 4), TopicPartition(settings.topic, 1, 9)
    for future in admin(settings).delete_records([first]).values():
        future.result(30)
    assert source_log.claim(settings)[1] == {0: 4, 1: 0}, "a new lake begins with what Kafka has"
    assert source_log.claim(settings)[1] == {0: 4, 1: 0}, "and what had expired before is not missing"
    for future in admin(settings).delete_records([second]).values():
        future.result(30)
    assert "9 records have expired" in str(source_log.refusal(settings))


@pytest.mark.parametrize(
    ("where", "reason", "by", "said"),
    [
        ("latest", " ", "ann", "say why"),
        ("latest", "lost", "", "who wants it"),
        ("newest", "lost", "ann", "give earliest, latest, or an offset for each of"),
        ('{"0": 1}', "lost", "ann", "give earliest"),
        ('{"0": 1, "1": 21}', "lost", "ann", "partition 1: offset 21 is not in the log, which has 0 to 20"),
    ],
)
def test_a_person_has_to_say_where_and_why(
    settings: SourceSettings, where: str, reason: str, by: str, said: str
) -> None:
    with pytest.raises(SourceLogError, match=said):
        source_log.gap(settings, where, reason, by)


def test_what_a_person_saw_is_what_is_done(settings: SourceSettings) -> None:
    gap = source_log.gap(settings, "latest", "lost", "ann")
    remake_topic(settings, 1)
    with pytest.raises(SourceLogError, match="look again"):
        source_log.continue_from(settings, gap)
