-- name:    pages/explore_end
-- purpose: End a viewer's statement with its connection. A user may end their own.
-- grain:   the connection
-- reads:   nothing
-- writes:  nothing
-- params:  connection_id bigint
KILL CONNECTION %(connection_id)s
