-- Data sets that task files name: which rows of the store (by sha256) a name stands for. Jobs name sha256 themselves, so
-- what becomes of a name later is nothing to them.
CREATE TABLE data_set_split (
    name text COLLATE "C" NOT NULL CHECK (
        char_length(name) BETWEEN 1 AND 200 AND name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$'),
    -- Empty for a data set that has none: a null could be no part of the key.
    config text COLLATE "C" NOT NULL CHECK (
        char_length(config) <= 200 AND config ~ '^[\x20-\x2e\x30-\x5b\x5d-\x7e]*$'),
    split text COLLATE "C" NOT NULL CHECK (
        char_length(split) BETWEEN 1 AND 100 AND split ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*$'),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    row_count bigint NOT NULL CHECK (row_count > 0),
    columns text[] NOT NULL CHECK (cardinality(columns) <= 10000 AND array_position(columns, NULL) IS NULL),
    -- The file that was read, as the user named it.
    source text NOT NULL CHECK (char_length(source) BETWEEN 1 AND 4096),
    user_name text NOT NULL CHECK (char_length(user_name) BETWEEN 1 AND 200),
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, config, split)
);
