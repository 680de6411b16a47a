-- What has a name or an owner: models, data sets, schedules, the store, and who may do what.

CREATE TABLE model (
    name text COLLATE "C" PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 200),
    path text NOT NULL CHECK (char_length(path) BETWEEN 1 AND 4096),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    bytes bigint NOT NULL CHECK (bytes > 0),
    architecture text NOT NULL,
    parameters bigint NOT NULL CHECK (parameters >= 0),
    context_length integer NOT NULL CHECK (context_length >= 0),
    vocabulary_size integer NOT NULL CHECK (vocabulary_size >= 0),
    tokenizer_sha256 bytea NOT NULL CHECK (octet_length(tokenizer_sha256) = 32),
    quantization text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    added_by name DEFAULT session_user
);

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
    added_by name DEFAULT session_user,
    PRIMARY KEY (name, config, split)
);

-- What is submitted by the clock. There is no leader: any process that finds a due schedule locks its row (SKIP LOCKED),
-- sees whether it is still due, and submits the run, records the fire and moves next_at in one transaction.
CREATE TABLE schedule (
    schedule_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Runs' identifiers and jitter are functions of this and the due time.
    key uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    name text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    cron text NOT NULL CHECK (char_length(cron) BETWEEN 1 AND 200),
    time_zone text NOT NULL CHECK (char_length(time_zone) BETWEEN 1 AND 64),
    overlap text NOT NULL CHECK (overlap IN ('skip', 'buffer_one', 'allow_all', 'cancel_other')),
    catch_up_seconds integer NOT NULL CHECK (catch_up_seconds >= 0),
    jitter_seconds integer NOT NULL CHECK (jitter_seconds >= 0),
    project text NOT NULL CHECK (char_length(project) BETWEEN 1 AND 64),
    user_name text NOT NULL CHECK (char_length(user_name) BETWEEN 1 AND 200),
    -- The run that is submitted, as JSON.
    template text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_at timestamptz,
    -- The first due time about which nothing is decided; none when the schedule is never due again.
    next_at timestamptz,
    -- Before this moment nothing is to be done.
    look_at timestamptz NOT NULL,
    -- A due time that waits for open runs to end.
    waiting_at timestamptz,
    waiting_kind text CHECK (waiting_kind IN ('clock', 'trigger', 'backfill')),
    paused_at timestamptz,
    paused_by text CHECK (char_length(paused_by) BETWEEN 1 AND 200),
    pause_reason text CHECK (char_length(pause_reason) BETWEEN 1 AND 1000),
    created_by name DEFAULT session_user,
    CONSTRAINT schedule_waiting CHECK ((waiting_at IS NULL) = (waiting_kind IS NULL)),
    CONSTRAINT schedule_paused CHECK (
        (paused_at IS NULL) = (paused_by IS NULL) AND (pause_reason IS NULL OR paused_at IS NOT NULL)),
    CONSTRAINT schedule_is_looked_at CHECK (look_at >= next_at OR waiting_at IS NOT NULL)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX schedule_name ON schedule (name) WHERE removed_at IS NULL;
CREATE INDEX schedule_look ON schedule (look_at) WHERE removed_at IS NULL;

-- What became of each due time. A skipped or failed one may be backfilled: then it has several rows, numbered from 1.
-- Runs move away when they are old, so run_id refers to nothing.
CREATE TABLE schedule_fire (
    schedule_id bigint NOT NULL REFERENCES schedule,
    due_at timestamptz NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    kind text NOT NULL CHECK (kind IN ('clock', 'trigger', 'backfill')),
    outcome text NOT NULL CHECK (outcome IN ('fired', 'skipped', 'failed')),
    reason text,
    run_id text COLLATE "C" UNIQUE,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schedule_id, due_at, attempt),
    CONSTRAINT schedule_fire_run CHECK ((outcome = 'fired') = (run_id IS NOT NULL)),
    CONSTRAINT schedule_fire_reason CHECK (outcome = 'fired' OR reason IS NOT NULL)
);
-- One due time is never fired twice, whoever does it, and is decided by the clock once.
CREATE UNIQUE INDEX schedule_fire_once ON schedule_fire (schedule_id, due_at) WHERE outcome = 'fired';
CREATE UNIQUE INDEX schedule_fire_by_clock ON schedule_fire (schedule_id, due_at) WHERE kind = 'clock';

-- Runs of schedules that had not ended when somebody looked last.
CREATE TABLE schedule_run (
    run_id text COLLATE "C" PRIMARY KEY,
    schedule_id bigint NOT NULL REFERENCES schedule,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX schedule_run_of_schedule ON schedule_run (schedule_id);

-- Which store this database belongs to.
--
-- The newest row counts. A database and a store know each other: database_uuid is drawn with each adoption and written
-- into the store, so that a store has one database; the server's identifier and the database's oid show a copy of the
-- database (a restored dump) to be another one, whose view of the store is out of date.
CREATE TABLE store_identity (
    adoption_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_uuid uuid NOT NULL,
    database_uuid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    system_identifier bigint NOT NULL,
    database_oid oid NOT NULL,
    -- Where the store lay for who adopted it.
    path text NOT NULL CHECK (char_length(path) BETWEEN 1 AND 4096),
    adopted_by text NOT NULL CHECK (char_length(adopted_by) BETWEEN 1 AND 200),
    session_role text NOT NULL DEFAULT session_user,
    adopted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who may do what. Tables are closed: every change goes through a function that runs with the owner's rights, and a role
-- may call those of the abilities that it was granted (sql/functions/rights.sql).
--
-- Names of roles of this server, so that a dump keeps what was granted; a role that is not there has no rights.
CREATE TABLE grantee (
    role_name name NOT NULL,
    ability text NOT NULL CHECK (ability IN ('reader', 'submitter', 'worker', 'operator')),
    granted_by name NOT NULL DEFAULT session_user,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (role_name, ability)
);

-- Programs that know the schema up to this version, or a later one, work with it as it is now.
CREATE TABLE schema_contract (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    min_program integer NOT NULL CHECK (min_program > 0)
);
INSERT INTO schema_contract (min_program) VALUES (13);
