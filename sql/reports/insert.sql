-- name:    reports/insert
-- purpose: List a report whose files are written; the primary key rejects a revision that is already listed.
-- grain:   one row per brand, period and revision
-- reads:   nothing
-- writes:  brand_reports
-- params:  brand_id bigint, first_day date, days int, time_zone varchar, revision int, made_at datetime, read_at datetime, complete_through datetime, is_complete int, verdict varchar, engagement bigint, engagement_before bigint, unique_people bigint, change_count int, changes text, numbers text, digest char, folder varchar, mail varchar
-- sqlfluff:max_line_length:400
INSERT INTO brand_reports (
    brand_id,
    first_day,
    days,
    time_zone,
    revision,
    made_at,
    read_at,
    complete_through,
    is_complete,
    verdict,
    engagement,
    engagement_before,
    unique_people,
    change_count,
    changes,
    numbers,
    digest,
    folder,
    mail
)
VALUES (
    %(brand_id)s,
    %(first_day)s,
    %(days)s,
    %(time_zone)s,
    %(revision)s,
    %(made_at)s,
    %(read_at)s,
    %(complete_through)s,
    %(is_complete)s,
    %(verdict)s,
    %(engagement)s,
    %(engagement_before)s,
    %(unique_people)s,
    %(change_count)s,
    %(changes)s,
    %(numbers)s,
    %(digest)s,
    %(folder)s,
    %(mail)s
)
