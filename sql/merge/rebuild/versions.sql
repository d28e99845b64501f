-- name:    merge/rebuild/versions
-- purpose: The lake versions that rebuilds read.
-- grain:   one row per table that is being rebuilt
-- reads:   rebuilds
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    version
FROM rebuilds
