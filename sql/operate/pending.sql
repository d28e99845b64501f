-- name:    operate/pending
-- purpose: Count the pins that rows of the lake wait for, without those that the Pin API does not know.
-- grain:   one row
-- reads:   pending_pins
-- writes:  nothing
-- params:  none

SELECT COUNT(DISTINCT pin_id) AS pins
FROM pending_pins
WHERE pin_status = 'pending'
