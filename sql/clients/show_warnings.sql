-- name:    clients/show_warnings
-- purpose: The server's warnings about the last statement.
-- grain:   one row per warning
-- reads:   nothing
-- writes:  nothing
-- params:  none
SHOW WARNINGS
