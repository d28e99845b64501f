"""Merged slices are announced while a session lasts, and no slice waits for that."""

import threading

import pytest

from pinwheel.merge.announce import Announcements, Merged


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[Merged]:
    return []


def over(news: Announcements) -> None:
    assert news._thread is not None
    news._thread.join(5)


def test_slices_are_announced_together_and_once(clock: Clock, told: list[Merged]) -> None:
    news = Announcements(told.append, 60, clock)
    news.tick()
    assert told == [], "nothing was merged"
    news.add(4, 100)
    news.tick()
    over(news)
    news.add(5, 10)
    news.add(9, 20)
    clock.now = 59
    news.tick()
    assert len(told) == 1, "not before its time"
    clock.now = 60
    news.tick()
    over(news)
    news.tick()
    counts = [{name: merged[name] for name in ("version", "slices", "rows")} for merged in told]
    assert counts == [{"version": 4, "slices": 1, "rows": 100}, {"version": 9, "slices": 2, "rows": 30}]
    assert str(told[0]["merged_at"]).endswith("+00:00")


def test_an_announcement_that_hangs_holds_nothing_up(clock: Clock, told: list[Merged]) -> None:
    hung = threading.Event()

    def hang(merged: Merged) -> None:
        hung.wait(30)
        told.append(merged)

    news = Announcements(hang, 1, clock)
    for version in range(3):
        news.add(version, 1)
        clock.now += 10
        news.tick()
    assert told == []
    hung.set()
    over(news)
    clock.now += 10
    news.tick()
    over(news)
    assert [merged["slices"] for merged in told] == [1, 2], "what came meanwhile is announced with the next one"


def test_one_that_fails_is_a_line_in_the_log(
    clock: Clock, told: list[Merged], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(merged: Merged) -> None:
        told.append(merged)
        if len(told) == 1:
            raise RuntimeError("no answer")

    news = Announcements(fail, 1, clock)
    for version in (1, 2):
        news.add(version, 1)
        clock.now += 10
        news.tick()
        over(news)
    assert [merged["version"] for merged in told] == [1, 2]
    assert [r.getMessage() for r in caplog.records] == ["not announced: version=1 error=no answer"]
