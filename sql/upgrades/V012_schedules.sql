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

CREATE FUNCTION refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER immutable BEFORE UPDATE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER permanent BEFORE DELETE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

-- True while something of a run will still be worked on without anybody's help.
CREATE FUNCTION run_is_open(p_run text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM job j JOIN job_counts c USING (job_id)
        WHERE j.run_id = p_run AND c.blocked + c.ready + c.running > 0)
$$;
