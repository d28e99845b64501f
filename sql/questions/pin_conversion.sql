-- name:    questions/pin_conversion
-- purpose: Of the pins first pinned on each day: how many were repinned, and how long that took.
-- grain:   one row per UTC day with new pins, of the pins first pinned in [from_time, to_time); first day first
-- reads:   pin_firsts
-- writes:  nothing
-- params:  from_time datetime, to_time datetime

-- A repin at any later time counts, as far as the tables are complete, so pins of the newest days had less time. The
-- median is over the repinned pins; for an even number it is the mean of the middle two.
SELECT
    DATE(pinned_at) AS day,
    COUNT(*) AS pins,
    COUNT(repinned_at) AS repinned,
    COUNT(repinned_at) / COUNT(*) AS conversion,
    SUM(CASE WHEN repinned_at < pinned_at + INTERVAL 24 HOUR THEN 1 ELSE 0 END) AS repinned_in_24_hours,
    AVG(
        CASE
            WHEN place * 2 BETWEEN repinned_of_day AND repinned_of_day + 2
                THEN TIMESTAMPDIFF(SECOND, pinned_at, repinned_at)
        END
    ) AS median_seconds_to_first_repin
FROM (
    SELECT
        pinned_at,
        repinned_at,
        COUNT(repinned_at) OVER (PARTITION BY DATE(pinned_at)) AS repinned_of_day,
        ROW_NUMBER() OVER (
            PARTITION BY DATE(pinned_at)
            ORDER BY repinned_at IS NULL, TIMESTAMPDIFF(SECOND, pinned_at, repinned_at)
        ) AS place
    FROM pin_firsts
    WHERE pinned_at >= %(from_time)s AND pinned_at < %(to_time)s
) AS made
GROUP BY DATE(pinned_at)
ORDER BY day
