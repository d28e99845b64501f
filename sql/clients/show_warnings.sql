-- name:    clients/show_warnings
-- purpose: What the server minded about the last statement.
-- grain:   one row per warning
-- reads:   nothing
-- writes:  nothing
-- params:  none
SHOW WARNINGS
