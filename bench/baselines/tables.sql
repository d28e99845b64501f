-- The baselines' tables: one per event type, dead letters, and two rollups.

CREATE TABLE IF NOT EXISTS pins (
    event_id VARCHAR(64) NOT NULL PRIMARY KEY,
    occurred_at DATETIME(6) NOT NULL,
    user_id BIGINT NOT NULL,
    pin_id BIGINT NOT NULL,
    creator_id BIGINT,
    board_id BIGINT,
    brand_id BIGINT,
    category VARCHAR(64),
    title VARCHAR(500),
    description TEXT,
    link VARCHAR(2048),
    image_url VARCHAR(2048),
    created_at DATETIME(6),
    country_code VARCHAR(2),
    region VARCHAR(255),
    city VARCHAR(255),
    latitude DOUBLE,
    longitude DOUBLE
);

CREATE TABLE IF NOT EXISTS repins (
    event_id VARCHAR(64) NOT NULL PRIMARY KEY,
    occurred_at DATETIME(6) NOT NULL,
    user_id BIGINT NOT NULL,
    pin_id BIGINT NOT NULL,
    board_id BIGINT NOT NULL,
    creator_id BIGINT,
    brand_id BIGINT,
    category VARCHAR(64),
    country_code VARCHAR(2),
    region VARCHAR(255),
    city VARCHAR(255),
    latitude DOUBLE,
    longitude DOUBLE
);

CREATE TABLE IF NOT EXISTS comments (
    event_id VARCHAR(64) NOT NULL PRIMARY KEY,
    occurred_at DATETIME(6) NOT NULL,
    user_id BIGINT NOT NULL,
    pin_id BIGINT NOT NULL,
    text TEXT NOT NULL,
    creator_id BIGINT,
    brand_id BIGINT,
    category VARCHAR(64),
    country_code VARCHAR(2),
    region VARCHAR(255),
    city VARCHAR(255),
    latitude DOUBLE,
    longitude DOUBLE
);

CREATE TABLE IF NOT EXISTS logins (
    event_id VARCHAR(64) NOT NULL PRIMARY KEY,
    occurred_at DATETIME(6) NOT NULL,
    user_id BIGINT NOT NULL,
    client VARCHAR(16) NOT NULL,
    country_code VARCHAR(2),
    region VARCHAR(255),
    city VARCHAR(255),
    latitude DOUBLE,
    longitude DOUBLE
);

CREATE TABLE IF NOT EXISTS dead_letters (
    kafka_partition INT NOT NULL,
    kafka_offset BIGINT NOT NULL,
    value MEDIUMBLOB,
    PRIMARY KEY (kafka_partition, kafka_offset)
);

CREATE TABLE IF NOT EXISTS brand_hourly (
    brand_id BIGINT NOT NULL,
    hour DATETIME NOT NULL,
    pins BIGINT NOT NULL,
    repins BIGINT NOT NULL,
    comments BIGINT NOT NULL,
    unique_people BIGINT NOT NULL,
    PRIMARY KEY (brand_id, hour)
);

CREATE TABLE IF NOT EXISTS category_hourly (
    category VARCHAR(64) NOT NULL,
    hour DATETIME NOT NULL,
    pins BIGINT NOT NULL,
    repins BIGINT NOT NULL,
    comments BIGINT NOT NULL,
    unique_people BIGINT NOT NULL,
    PRIMARY KEY (category, hour)
);
