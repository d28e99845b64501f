"""Whatever receivers answer, each message that one would accept arrives, in order."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.alerts import outbox
from pinwheel.alerts.outbox import DOUBTFUL_TRIES
from pinwheel.alerts.sending import Outcome
from tests.support.alert_database import FakeDatabase
from tests.support.receivers import NOW

ENDS = (Outcome.ACCEPTED, Outcome.REFUSED)
MOST_TRIES = 13  # of 6 messages, a quarter of an hour apart, they take less than the day after which all are given up
# The answers of a receiver to a message, try after try; at last it accepts or refuses it.
ANSWERS = st.tuples(
    st.lists(st.sampled_from([Outcome.AWAY, Outcome.DOUBTFUL]), max_size=MOST_TRIES - 1).filter(
        lambda answers: answers.count(Outcome.DOUBTFUL) < DOUBTFUL_TRIES
    ),
    st.sampled_from(ENDS),
).map(lambda drawn: [*drawn[0], drawn[1]])
RECEIVERS = ("json://a", "json://b")


@given(st.lists(st.tuples(ANSWERS, ANSWERS), min_size=1, max_size=6))
def test_what_can_be_delivered_is_delivered_in_order(messages: list[tuple[list[Outcome], list[Outcome]]]) -> None:
    database, got = FakeDatabase(), dict[str, list[str]]((url, []) for url in RECEIVERS)
    left = {(url, f"m{n}"): list(a) for n, pair in enumerate(messages) for url, a in zip(RECEIVERS, pair, strict=True)}

    def send(receiver: str, url: str, title: str, body: str) -> Outcome:
        outcome = left[url, title].pop(0) if title.startswith("m") else Outcome.ACCEPTED
        if outcome is Outcome.ACCEPTED and title.startswith("m"):
            got[url].append(title)
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PINWHEEL_ALERT_URLS", " ".join(RECEIVERS))
        patch.setattr(outbox, "send", send)
        for n in range(len(messages)):
            outbox.post(database.as_connection(), f"m{n}", "a body", NOW)
        database.commit()
        for turn in range(len(messages) * MOST_TRIES):
            at = NOW + timedelta(minutes=15 * turn)
            outbox.deliver(database.as_connection(), lambda at=at: at)  # type: ignore[misc]
            if not database.rows("alert_messages", delivered_at=None, given_up_at=None):
                break

    for which, url in enumerate(RECEIVERS):
        assert got[url] == [f"m{n}" for n, pair in enumerate(messages) if pair[which][-1] is Outcome.ACCEPTED]
    refused = sum(answers[-1] is Outcome.REFUSED for pair in messages for answers in pair)
    assert len(database.rows(name="message_given_up")) == refused
