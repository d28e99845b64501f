WITH decoded AS (
    SELECT *, CASE WHEN value_bytes <= 65536 THEN try(decode(value)) END AS json
    FROM records
),

-- DuckDB also takes NaN, Infinity and a comma before a closing bracket. What looks like one may be in a text, so the
-- texts are taken out before it is looked for once more.
objects AS (
    SELECT
        *,
        CASE
            WHEN NOT json_valid(json) OR NOT starts_with(ltrim(json, e' \t\r\n'), '{') THEN NULL
            WHEN NOT regexp_matches(json, ',[ \t\r\n]*[\]}]|[:,\[][ \t\r\n]*-?(?i:nan|inf)') THEN json
            WHEN NOT regexp_matches(regexp_replace(json, '"([^"\\]|\\.)*"', '""', 'g'), ',[ \t\r\n]*[\]}]|[:,\[][ \t\r\n]*-?(?i:nan|inf)') THEN json
        END AS object
    FROM decoded
),

-- Of a duplicate key the first value counts. A decimal is read as a text, or a text that came as one would be rounded.
read AS (
    SELECT
        *,
        json_transform(
            CASE
                WHEN NOT regexp_matches(object, '"[ \t\r\n]*:[ \t\r\n]*-?[0-9]+[.eE]') THEN object
                ELSE array_to_string(
                    list_transform(
                        regexp_extract_all(object, '"([^"\\]|\\.)*"|[^"]+'),
                        lambda part: regexp_replace(part, '^([ \t\r\n]*:[ \t\r\n]*)(-?[0-9]+[.eE][0-9.eE+-]*)', '\1"\2"')
                    ),
                    ''
                )
            END,
            '{"event_id": "VARCHAR", "event_type": "VARCHAR", "occurred_at": "VARCHAR", "user_id": "VARCHAR", "ip": "VARCHAR", "pin_id": "VARCHAR", "board_id": "VARCHAR", "text": "VARCHAR", "client": "VARCHAR", "pin": "JSON"}'
        ) AS texts
    FROM objects
),

opened AS (
    SELECT *, CASE WHEN texts.event_type IN ('pin') AND json_type(texts.pin) = 'OBJECT' THEN texts.pin END AS pin_json
    FROM read
),

shaped AS (
    SELECT *, json_transform(pin_json, '{"pin_id": "VARCHAR", "creator_id": "VARCHAR", "board_id": "VARCHAR", "brand_id": "VARCHAR", "category": "VARCHAR", "title": "VARCHAR", "description": "VARCHAR", "link": "VARCHAR", "image_url": "VARCHAR", "created_at": "VARCHAR"}') AS pin_texts
    FROM opened
),

-- Null: the text is missing, belongs to another event type, or can't be read as the column's type. A cast alone would
-- round 1.5, trim ' 1' and accept a date as a time.
typed AS (
    SELECT
        *,
        texts.event_id AS event_id,
        texts.event_type AS event_type,
        CASE WHEN regexp_full_match(texts.occurred_at, '\d{4}-\d{2}-\d{2}[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)') THEN moment(texts.occurred_at) END AS occurred_at,
        CASE WHEN try_cast(texts.user_id AS BIGINT)::VARCHAR = texts.user_id THEN try_cast(texts.user_id AS BIGINT) END AS user_id,
        texts.ip AS ip,
        coalesce(
            CASE WHEN try_cast(pin_texts.pin_id AS BIGINT)::VARCHAR = pin_texts.pin_id THEN try_cast(pin_texts.pin_id AS BIGINT) END,
            CASE WHEN texts.event_type IN ('repin', 'comment') THEN CASE WHEN try_cast(texts.pin_id AS BIGINT)::VARCHAR = texts.pin_id THEN try_cast(texts.pin_id AS BIGINT) END END
        ) AS pin_id,
        CASE WHEN texts.event_type IN ('repin') THEN CASE WHEN try_cast(texts.board_id AS BIGINT)::VARCHAR = texts.board_id THEN try_cast(texts.board_id AS BIGINT) END END AS board_id,
        CASE WHEN texts.event_type IN ('comment') THEN texts.text END AS text,
        CASE WHEN texts.event_type IN ('login') THEN texts.client END AS client,
        CASE WHEN try_cast(pin_texts.creator_id AS BIGINT)::VARCHAR = pin_texts.creator_id THEN try_cast(pin_texts.creator_id AS BIGINT) END AS pin_creator_id,
        CASE WHEN try_cast(pin_texts.board_id AS BIGINT)::VARCHAR = pin_texts.board_id THEN try_cast(pin_texts.board_id AS BIGINT) END AS pin_board_id,
        CASE WHEN try_cast(pin_texts.brand_id AS BIGINT)::VARCHAR = pin_texts.brand_id THEN try_cast(pin_texts.brand_id AS BIGINT) END AS brand_id,
        pin_texts.category AS category,
        pin_texts.title AS title,
        pin_texts.description AS description,
        pin_texts.link AS link,
        pin_texts.image_url AS image_url,
        CASE WHEN regexp_full_match(pin_texts.created_at, '\d{4}-\d{2}-\d{2}[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)') THEN moment(pin_texts.created_at) END AS pin_created_at
    FROM shaped
),

-- The first reason to reject a record; null for a valid one.
judged AS (
    SELECT
        *,
        CASE
            WHEN coalesce(value_bytes, 0) = 0 THEN {'reason': 'empty', 'detail': 'the record has no value'}
            WHEN value_bytes > 65536
                THEN {'reason': 'too_large', 'detail': value_bytes || ' bytes, allowed 65536'}
            WHEN json IS NULL THEN {'reason': 'not_utf8', 'detail': 'the bytes are not UTF-8'}
            WHEN object IS NULL THEN {'reason': 'not_json', 'detail': 'the value is not one JSON object'}
            WHEN texts.event_type IS NULL THEN {'reason': 'missing_field', 'detail': 'event_type'}
            WHEN NOT texts.event_type IN ('pin', 'repin', 'comment', 'login')
                THEN {'reason': 'unknown_type', 'detail': 'event_type=' || substr(texts.event_type, 1, 200)}
            WHEN texts.event_id IS NULL THEN {'reason': 'missing_field', 'detail': 'event_id'}
            WHEN CASE WHEN regexp_full_match(texts.event_id, '(?s)\[.*|\{.*|true|false')
                THEN json_type(object, '$.event_id') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'event_id=' || substr(texts.event_id, 1, 200)}
            WHEN length(texts.event_id) > 64 THEN {'reason': 'bad_field', 'detail': 'event_id=' || substr(texts.event_id, 1, 200)}
            WHEN texts.event_id = '' THEN {'reason': 'bad_field', 'detail': 'event_id=' || substr(texts.event_id, 1, 200)}
            WHEN texts.occurred_at IS NULL THEN {'reason': 'missing_field', 'detail': 'occurred_at'}
            WHEN occurred_at IS NULL THEN {'reason': 'bad_field', 'detail': 'occurred_at=' || substr(texts.occurred_at, 1, 200)}
            WHEN texts.user_id IS NULL THEN {'reason': 'missing_field', 'detail': 'user_id'}
            WHEN user_id IS NULL THEN {'reason': 'bad_field', 'detail': 'user_id=' || substr(texts.user_id, 1, 200)}
            WHEN CASE WHEN regexp_full_match(texts.ip, '(?s)\[.*|\{.*|true|false')
                THEN json_type(object, '$.ip') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'ip=' || substr(texts.ip, 1, 200)}
            -- pin
            WHEN texts.event_type IN ('pin') AND (texts.pin IS NULL OR texts.pin = 'null') THEN {'reason': 'missing_field', 'detail': 'pin'}
            WHEN texts.event_type IN ('pin') AND pin_json IS NULL THEN {'reason': 'bad_field', 'detail': 'pin=' || substr(texts.pin, 1, 200)}
            WHEN texts.event_type IN ('pin') AND pin_texts.pin_id IS NULL THEN {'reason': 'missing_field', 'detail': 'pin.pin_id'}
            WHEN texts.event_type IN ('pin') AND pin_id IS NULL THEN {'reason': 'bad_field', 'detail': 'pin.pin_id=' || substr(pin_texts.pin_id, 1, 200)}
            WHEN texts.event_type IN ('pin') AND pin_texts.creator_id IS NULL THEN {'reason': 'missing_field', 'detail': 'pin.creator_id'}
            WHEN texts.event_type IN ('pin') AND pin_creator_id IS NULL THEN {'reason': 'bad_field', 'detail': 'pin.creator_id=' || substr(pin_texts.creator_id, 1, 200)}
            WHEN texts.event_type IN ('pin') AND pin_texts.board_id IS NULL THEN {'reason': 'missing_field', 'detail': 'pin.board_id'}
            WHEN texts.event_type IN ('pin') AND pin_board_id IS NULL THEN {'reason': 'bad_field', 'detail': 'pin.board_id=' || substr(pin_texts.board_id, 1, 200)}
            WHEN texts.event_type IN ('pin') AND pin_texts.brand_id IS NOT NULL AND brand_id IS NULL THEN {'reason': 'bad_field', 'detail': 'pin.brand_id=' || substr(pin_texts.brand_id, 1, 200)}
            WHEN texts.event_type IN ('pin') AND CASE WHEN regexp_full_match(pin_texts.category, '(?s)\[.*|\{.*|true|false')
                THEN json_type(pin_json, '$.category') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'pin.category=' || substr(pin_texts.category, 1, 200)}
            WHEN texts.event_type IN ('pin') AND length(pin_texts.category) > 64 THEN {'reason': 'bad_field', 'detail': 'pin.category=' || substr(pin_texts.category, 1, 200)}
            WHEN texts.event_type IN ('pin') AND CASE WHEN regexp_full_match(pin_texts.title, '(?s)\[.*|\{.*|true|false')
                THEN json_type(pin_json, '$.title') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'pin.title=' || substr(pin_texts.title, 1, 200)}
            WHEN texts.event_type IN ('pin') AND length(pin_texts.title) > 500 THEN {'reason': 'bad_field', 'detail': 'pin.title=' || substr(pin_texts.title, 1, 200)}
            WHEN texts.event_type IN ('pin') AND CASE WHEN regexp_full_match(pin_texts.description, '(?s)\[.*|\{.*|true|false')
                THEN json_type(pin_json, '$.description') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'pin.description=' || substr(pin_texts.description, 1, 200)}
            WHEN texts.event_type IN ('pin') AND length(pin_texts.description) > 5000 THEN {'reason': 'bad_field', 'detail': 'pin.description=' || substr(pin_texts.description, 1, 200)}
            WHEN texts.event_type IN ('pin') AND CASE WHEN regexp_full_match(pin_texts.link, '(?s)\[.*|\{.*|true|false')
                THEN json_type(pin_json, '$.link') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'pin.link=' || substr(pin_texts.link, 1, 200)}
            WHEN texts.event_type IN ('pin') AND length(pin_texts.link) > 2048 THEN {'reason': 'bad_field', 'detail': 'pin.link=' || substr(pin_texts.link, 1, 200)}
            WHEN texts.event_type IN ('pin') AND CASE WHEN regexp_full_match(pin_texts.image_url, '(?s)\[.*|\{.*|true|false')
                THEN json_type(pin_json, '$.image_url') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'pin.image_url=' || substr(pin_texts.image_url, 1, 200)}
            WHEN texts.event_type IN ('pin') AND length(pin_texts.image_url) > 2048 THEN {'reason': 'bad_field', 'detail': 'pin.image_url=' || substr(pin_texts.image_url, 1, 200)}
            WHEN texts.event_type IN ('pin') AND pin_texts.created_at IS NOT NULL AND pin_created_at IS NULL THEN {'reason': 'bad_field', 'detail': 'pin.created_at=' || substr(pin_texts.created_at, 1, 200)}
            -- repin
            WHEN texts.event_type IN ('repin') AND texts.pin_id IS NULL THEN {'reason': 'missing_field', 'detail': 'pin_id'}
            WHEN texts.event_type IN ('repin') AND pin_id IS NULL THEN {'reason': 'bad_field', 'detail': 'pin_id=' || substr(texts.pin_id, 1, 200)}
            WHEN texts.event_type IN ('repin') AND texts.board_id IS NULL THEN {'reason': 'missing_field', 'detail': 'board_id'}
            WHEN texts.event_type IN ('repin') AND board_id IS NULL THEN {'reason': 'bad_field', 'detail': 'board_id=' || substr(texts.board_id, 1, 200)}
            -- comment
            WHEN texts.event_type IN ('comment') AND texts.pin_id IS NULL THEN {'reason': 'missing_field', 'detail': 'pin_id'}
            WHEN texts.event_type IN ('comment') AND pin_id IS NULL THEN {'reason': 'bad_field', 'detail': 'pin_id=' || substr(texts.pin_id, 1, 200)}
            WHEN texts.event_type IN ('comment') AND texts.text IS NULL THEN {'reason': 'missing_field', 'detail': 'text'}
            WHEN texts.event_type IN ('comment') AND CASE WHEN regexp_full_match(texts.text, '(?s)\[.*|\{.*|true|false')
                THEN json_type(object, '$.text') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'text=' || substr(texts.text, 1, 200)}
            WHEN texts.event_type IN ('comment') AND length(texts.text) > 5000 THEN {'reason': 'bad_field', 'detail': 'text=' || substr(texts.text, 1, 200)}
            -- login
            WHEN texts.event_type IN ('login') AND texts.client IS NULL THEN {'reason': 'missing_field', 'detail': 'client'}
            WHEN texts.event_type IN ('login') AND CASE WHEN regexp_full_match(texts.client, '(?s)\[.*|\{.*|true|false')
                THEN json_type(object, '$.client') <> 'VARCHAR' END THEN {'reason': 'bad_field', 'detail': 'client=' || substr(texts.client, 1, 200)}
            WHEN texts.event_type IN ('login') AND texts.client NOT IN ('ios', 'android', 'web') THEN {'reason': 'bad_field', 'detail': 'client=' || substr(texts.client, 1, 200)}
            -- The time is checked last, when all fields are valid.
            WHEN epoch_us(occurred_at) - epoch_us(kafka_timestamp) NOT BETWEEN -2592000000000 AND 600000000
                THEN {
                    'reason': 'bad_time',
                    'detail': 'occurred_at=' || substr(texts.occurred_at, 1, 200) || ', received ' || kafka_timestamp
                }
        END AS verdict
    FROM typed
)

SELECT
    (CASE WHEN verdict IS NULL THEN occurred_at ELSE kafka_timestamp END AT TIME ZONE 'UTC')::DATE AS event_date,
    CASE WHEN verdict IS NULL THEN texts.event_type ELSE 'dead_letter' END AS event_type,
    CASE WHEN verdict IS NULL THEN event_id END AS event_id,
    CASE WHEN verdict IS NULL THEN occurred_at END AS occurred_at,
    CASE WHEN verdict IS NULL THEN user_id END AS user_id,
    CASE WHEN verdict IS NULL THEN pin_id END AS pin_id,
    CASE WHEN verdict IS NULL THEN board_id END AS board_id,
    CASE WHEN verdict IS NULL THEN text END AS text,
    CASE WHEN verdict IS NULL THEN client END AS client,
    CASE WHEN verdict IS NULL THEN pin_creator_id END AS pin_creator_id,
    CASE WHEN verdict IS NULL THEN pin_board_id END AS pin_board_id,
    CASE WHEN verdict IS NULL THEN brand_id END AS brand_id,
    CASE WHEN verdict IS NULL THEN category END AS category,
    CASE WHEN verdict IS NULL THEN title END AS title,
    CASE WHEN verdict IS NULL THEN description END AS description,
    CASE WHEN verdict IS NULL THEN link END AS link,
    CASE WHEN verdict IS NULL THEN image_url END AS image_url,
    CASE WHEN verdict IS NULL THEN pin_created_at END AS pin_created_at,
    -- The whole object where it has a field that the contract does not know; the parser takes the known ones out.
    CASE
        WHEN verdict IS NULL AND (
            CASE texts.event_type
                WHEN 'pin' THEN NOT list_has_all(['event_id', 'event_type', 'occurred_at', 'user_id', 'ip', 'pin'], json_keys(object))
                WHEN 'repin' THEN NOT list_has_all(['event_id', 'event_type', 'occurred_at', 'user_id', 'ip', 'pin_id', 'board_id'], json_keys(object))
                WHEN 'comment' THEN NOT list_has_all(['event_id', 'event_type', 'occurred_at', 'user_id', 'ip', 'pin_id', 'text'], json_keys(object))
                WHEN 'login' THEN NOT list_has_all(['event_id', 'event_type', 'occurred_at', 'user_id', 'ip', 'client'], json_keys(object))
            END
            OR coalesce(NOT list_has_all(['pin_id', 'creator_id', 'board_id', 'brand_id', 'category', 'title', 'description', 'link', 'image_url', 'created_at'], json_keys(pin_json)), FALSE)
        ) THEN object
    END AS extra,
    verdict.reason AS dead_reason,
    verdict.detail AS dead_detail,
    CASE WHEN verdict IS NOT NULL THEN value END AS dead_value,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    CASE WHEN verdict IS NULL THEN ip END AS ip
FROM judged
