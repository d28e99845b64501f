-- name:    rollup/pin_firsts
-- purpose: Recompute first pin event and first repin of the pins that a touched hour may affect.
-- grain:   one row per pin_id
-- reads:   added_pin_hourly, touched_firsts, pin_hourly, pins, repins, retention
-- writes:  touched_firsts, pin_firsts
-- params:  none

-- touched_firsts has the pins of rows that left or changed. Events after the first repin change neither of the two, so most merges touch few pins here.
INSERT IGNORE INTO touched_firsts (pin_id)
SELECT DISTINCT touched.pin_id
FROM added_pin_hourly AS touched
LEFT JOIN pin_firsts AS known ON touched.pin_id = known.pin_id
LEFT JOIN pin_hourly AS bucket ON touched.pin_id = bucket.pin_id AND touched.hour = bucket.hour
WHERE
    (known.pin_id IS NULL AND bucket.pins > 0)
    OR (known.pin_id IS NOT NULL AND touched.hour <= COALESCE(known.repinned_at, touched.hour));

-- A first pin event whose row is no longer kept stays the first one. So does its first repin, unless it is later than
-- the rows that are gone, or there is none yet.
UPDATE pin_firsts AS known
INNER JOIN touched_firsts AS touched ON known.pin_id = touched.pin_id
    INNER JOIN retention AS kept ON kept.store = 'events' AND known.pinned_at < kept.kept_from
SET
    known.repinned_at = (
        SELECT MIN(later.occurred_at)
        FROM repins AS later
        WHERE
            later.pin_id = known.pin_id
            AND later.occurred_hour = (
                SELECT MIN(bucket.hour)
                FROM pin_hourly AS bucket
                WHERE
                    bucket.pin_id = known.pin_id
                    AND bucket.hour >= kept.kept_from
                    AND bucket.repins > 0
            )
    )
WHERE
    known.repinned_at IS NULL
    OR known.repinned_at >= kept.kept_from;

DELETE touched FROM touched_firsts AS touched
INNER JOIN pin_firsts AS known ON touched.pin_id = known.pin_id
INNER JOIN retention AS kept ON kept.store = 'events' AND known.pinned_at < kept.kept_from;

DELETE known FROM pin_firsts AS known
INNER JOIN touched_firsts AS touched ON known.pin_id = touched.pin_id;

-- pin_hourly, already recomputed, names the hours to read: the first with a pin event, and the next with a repin.
INSERT INTO pin_firsts (
    pin_id,
    pinned_at,
    repinned_at
)
SELECT
    followed.pin_id,
    followed.pinned_at,
    COALESCE(
        (
            SELECT MIN(same.occurred_at)
            FROM repins AS same
            WHERE
                same.occurred_hour = followed.pinned_hour
                AND same.pin_id = followed.pin_id
                AND same.occurred_at >= followed.pinned_at
        ),
        (
            SELECT MIN(later.occurred_at)
            FROM repins AS later
            WHERE
                later.occurred_hour = followed.repinned_hour
                AND later.pin_id = followed.pin_id
        )
    ) AS repinned_at
FROM (
    SELECT
        made.pin_id,
        made.pinned_hour,
        made.pinned_at,
        MIN(bucket.hour) AS repinned_hour
    FROM (
        SELECT
            hours.pin_id,
            hours.pinned_hour,
            MIN(event.occurred_at) AS pinned_at
        FROM (
            SELECT
                touched.pin_id,
                MIN(bucket.hour) AS pinned_hour
            FROM touched_firsts AS touched
            INNER JOIN pin_hourly AS bucket ON touched.pin_id = bucket.pin_id
            WHERE bucket.pins > 0
            GROUP BY touched.pin_id
        ) AS hours
        INNER JOIN pins AS event ON hours.pinned_hour = event.occurred_hour AND hours.pin_id = event.pin_id
        GROUP BY
            hours.pin_id,
            hours.pinned_hour
    ) AS made
    LEFT JOIN pin_hourly AS bucket
        ON made.pin_id = bucket.pin_id AND made.pinned_hour < bucket.hour AND bucket.repins > 0
    GROUP BY
        made.pin_id,
        made.pinned_hour,
        made.pinned_at
) AS followed;
