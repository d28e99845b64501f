-- name:    merge/open_slice
-- purpose: Insert a slice: an attempt to merge a range of versions.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  table_name varchar, from_version bigint, to_version bigint, progress text
INSERT INTO merge_slices (
    table_name,
    from_version,
    to_version,
    progress,
    state
)
VALUES (
    %(table_name)s,
    %(from_version)s,
    %(to_version)s,
    %(progress)s,
    'staging'
)
