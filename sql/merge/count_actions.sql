-- name:    merge/count_actions
-- purpose: How many deliveries there are of each action.
-- grain:   one row per action
-- reads:   merge_plan
-- writes:  nothing
-- params:  none
SELECT
    action,
    COUNT(*) AS deliveries
FROM merge_plan
GROUP BY action
