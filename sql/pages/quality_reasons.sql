-- name:    pages/quality_reasons
-- purpose: The rules that the newest quarantined rows of tables that readers see broke.
-- grain:   one row per table and rule, most rows first
-- reads:   quarantine
-- writes:  nothing
-- params:  newest int

-- A reason is "rule: column=value"; the part before the = is the same for all rows that broke the rule.
SELECT
    table_name,
    SUBSTRING_INDEX(reason, '=', 1) AS rule,
    COUNT(*) AS broken,
    MAX(quarantined_at) AS newest_at
FROM (
    SELECT
        table_name,
        reason,
        quarantined_at
    FROM quarantine
    WHERE table_name NOT LIKE 'rebuilt%%'
    ORDER BY quarantined_at DESC
    LIMIT %(newest)s
) AS looked_at
GROUP BY
    table_name,
    rule
ORDER BY
    broken DESC,
    table_name ASC,
    rule ASC
