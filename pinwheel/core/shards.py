"""Which shard of a table an event is in; in one place, because the merge and the books must agree."""


def shard_number(shards: int) -> str:
    """The number of an event's shard, as SQL for DuckDB over ``event_id``.

    By the event's id, so that all deliveries of an event are in one shard. Null ids are in the first.
    """
    return "0" if shards == 1 else f"COALESCE(('0x' || LEFT(MD5(event_id), 8))::BIGINT % {shards}, 0)"
