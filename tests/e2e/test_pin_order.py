"""A repin that comes before its pin, through the whole running system."""

import json
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Producer

from pinwheel.alerts.raising import raise_alert
from pinwheel.clients.kafka import librdkafka_options
from pinwheel.core.settings import CompleteSettings, load
from pinwheel.enrich.pins import PinLookup
from pinwheel.lake.late_completion import complete
from pinwheel.local.stack import Stack
from tests.support.oracle import Oracle, wait_until

PIN_ID = 950 + 2**50  # the Pin API does not know it
PIN = {"pin_id": PIN_ID, "creator_id": 4, "board_id": 1, "brand_id": 3, "category": "food", "title": "newest"}
ROW = f"SELECT brand_id, category, pin_status FROM repins WHERE pin_id = {PIN_ID}"


def send(oracle: Oracle, *events: dict[str, Any]) -> None:
    producer = Producer(librdkafka_options(oracle.kafka))
    for event in events:
        producer.produce(oracle.kafka.topic, json.dumps({"user_id": 5, "ip": None, **event}).encode())
    assert producer.flush(30) == 0
    oracle.settle()


def test_a_repin_before_its_pin_gets_the_brand_of_its_newest_version(running_stack: Stack) -> None:
    oracle, now = Oracle(running_stack), datetime.now(UTC)
    at, later = now.isoformat(), now.replace(microsecond=0).isoformat()  # the later record is of an earlier time
    repin = {"event_type": "repin", "event_id": "first-repin", "occurred_at": at, "pin_id": PIN_ID, "board_id": 1}
    send(oracle, repin)
    assert oracle.query(ROW) == [{"brand_id": None, "category": None, "pin_status": "unknown"}]

    send(oracle, {"event_type": "pin", "event_id": "first-pin", "occurred_at": at, "pin": PIN})
    old = PIN | {"title": "older", "brand_id": 4, "category": "art"}
    send(oracle, {"event_type": "pin", "event_id": "late-pin", "occurred_at": later, "pin": old})
    settings = load(CompleteSettings)
    complete(settings, PinLookup(settings), datetime.now(UTC), raise_alert)  # or the Dag was faster

    wait_until("it has its brand", lambda: oracle.query(ROW)[0]["pin_status"] == "cached")
    assert oracle.query(ROW) == [{"brand_id": 3, "category": "food", "pin_status": "cached"}]
    assert oracle.query(f"SELECT title FROM pin_cache WHERE pin_id = {PIN_ID}") == [{"title": "newest"}]
    assert oracle.query(f"SELECT pin_id FROM pending_pins WHERE pin_id = {PIN_ID}") == []
    oracle.settle()
    hour = now.strftime("%Y-%m-%d %H:00:00")
    rolled = oracle.query(f"SELECT pins, repins FROM pin_hourly WHERE pin_id = {PIN_ID} AND hour = '{hour}'")
    assert rolled == [{"pins": 2, "repins": 1}]
