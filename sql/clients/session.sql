-- name:    clients/session
-- purpose: Set up a connection: UTC, and no lost updates hidden by old snapshots.
-- grain:   the session
-- reads:   nothing
-- writes:  nothing
-- params:  none
SET time_zone = '+00:00'
--mariadb: , tx_isolation = 'READ-COMMITTED'
--mariadb: , sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'
