-- name:    merge/note_repeats
-- purpose: Note the rows of a slice whose event occurs in it more than once.
-- grain:   one row per staged row
-- reads:   nothing
-- writes:  staged_repeats
-- params:  slice_id bigint, row_num bigint
INSERT INTO staged_repeats (slice_id, row_num)
VALUES (%(slice_id)s, %(row_num)s)
