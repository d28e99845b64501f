-- name:    quality/wrong_pin_firsts
-- purpose: Pins whose first pin event, or first repin after it, contradicts the rows of an hour.
-- grain:   one row per pin
-- reads:   pin_firsts, pins, repins, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- No event of the hour may be earlier than the stored first, and a stored first in the hour must exist as an event.
SELECT
    seen.pin_id,
    seen.pinned_at,
    kept.pinned_at AS kept_pinned_at,
    seen.repinned_at,
    kept.repinned_at AS kept_repinned_at
FROM (
    SELECT
        pin_id,
        MIN(pinned_at) AS pinned_at,
        MIN(repinned_at) AS repinned_at
    FROM (
        SELECT
            pin_id,
            occurred_at AS pinned_at,
            NULL AS repinned_at
        FROM pins
        WHERE occurred_hour = %(hour)s AND pin_id IS NOT NULL
        UNION ALL
        SELECT
            event.pin_id,
            NULL AS pinned_at,
            event.occurred_at AS repinned_at
        FROM repins AS event
        INNER JOIN pin_firsts AS known ON event.pin_id = known.pin_id AND event.occurred_at >= known.pinned_at
        WHERE event.occurred_hour = %(hour)s
        UNION ALL
        SELECT
            pin_id,
            NULL AS pinned_at,
            NULL AS repinned_at
        FROM pin_firsts
        WHERE pinned_at >= %(hour)s AND pinned_at < %(hour)s + INTERVAL 1 HOUR
    ) AS happened
    GROUP BY pin_id
) AS seen
LEFT JOIN pin_firsts AS kept ON seen.pin_id = kept.pin_id
WHERE
    seen.pin_id NOT IN (
        SELECT pin_id
        FROM stale_rows
        WHERE
            pin_id IS NOT NULL
    )
    AND (
        kept.pin_id IS NULL
        OR seen.pinned_at < kept.pinned_at
        OR seen.repinned_at < COALESCE(kept.repinned_at, '9999-12-31')
        OR (
            kept.pinned_at >= %(hour)s AND kept.pinned_at < %(hour)s + INTERVAL 1 HOUR
            AND kept.pinned_at <> COALESCE(seen.pinned_at, '9999-12-31')
        )
        OR (
            kept.repinned_at >= %(hour)s AND kept.repinned_at < %(hour)s + INTERVAL 1 HOUR
            AND kept.repinned_at <> COALESCE(seen.repinned_at, '9999-12-31')
        )
    )
ORDER BY seen.pin_id
