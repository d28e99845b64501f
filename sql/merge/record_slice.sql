-- name:    merge/record_slice
-- purpose: Insert a slice that is merged in this transaction, or that waits for a person.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  table_name varchar, shard int, from_version bigint, to_version bigint, progress text, state varchar, rows_read bigint, inserted bigint, updated bigint, deleted bigint, duplicates bigint, conflicting bigint, overtaken bigint, quarantined bigint, detail text
INSERT INTO merge_slices (
    table_name,
    shard,
    from_version,
    to_version,
    progress,
    state,
    rows_read,
    inserted,
    updated,
    deleted,
    duplicates,
    conflicting,
    overtaken,
    quarantined,
    detail,
    audited_at,
    merged_at
)
VALUES (
    %(table_name)s,
    %(shard)s,
    %(from_version)s,
    %(to_version)s,
    %(progress)s,
    %(state)s,
    %(rows_read)s,
    %(inserted)s,
    %(updated)s,
    %(deleted)s,
    %(duplicates)s,
    %(conflicting)s,
    %(overtaken)s,
    %(quarantined)s,
    %(detail)s,
    CURRENT_TIMESTAMP(6),
    CASE WHEN %(state)s = 'merged' THEN CURRENT_TIMESTAMP(6) END
)
