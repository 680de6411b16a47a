-- What sql/tables come to, written by `infra/dev schema`; functions are in sql/functions.

CREATE TYPE shard_state AS ENUM (
    'blocked',
    'ready',
    'running',
    'done',
    'failed',
    'cancelled',
    'held'
);

CREATE TABLE schedule (
    schedule_id bigint NOT NULL,
    key uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    cron text NOT NULL,
    time_zone text NOT NULL,
    overlap text NOT NULL,
    catch_up_seconds integer NOT NULL,
    jitter_seconds integer NOT NULL,
    project text NOT NULL,
    user_name text NOT NULL,
    template text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    removed_at timestamp with time zone,
    next_at timestamp with time zone,
    look_at timestamp with time zone NOT NULL,
    waiting_at timestamp with time zone,
    waiting_kind text,
    paused_at timestamp with time zone,
    paused_by text,
    pause_reason text,
    created_by name DEFAULT SESSION_USER,
    CONSTRAINT schedule_catch_up_seconds_check CHECK ((catch_up_seconds >= 0)),
    CONSTRAINT schedule_cron_check CHECK (((char_length(cron) >= 1) AND (char_length(cron) <= 200))),
    CONSTRAINT schedule_is_looked_at CHECK (((look_at >= next_at) OR (waiting_at IS NOT NULL))),
    CONSTRAINT schedule_jitter_seconds_check CHECK ((jitter_seconds >= 0)),
    CONSTRAINT schedule_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT schedule_overlap_check CHECK ((overlap = ANY (ARRAY['skip'::text, 'buffer_one'::text, 'allow_all'::text, 'cancel_other'::text]))),
    CONSTRAINT schedule_pause_reason_check CHECK (((char_length(pause_reason) >= 1) AND (char_length(pause_reason) <= 1000))),
    CONSTRAINT schedule_paused CHECK ((((paused_at IS NULL) = (paused_by IS NULL)) AND ((pause_reason IS NULL) OR (paused_at IS NOT NULL)))),
    CONSTRAINT schedule_paused_by_check CHECK (((char_length(paused_by) >= 1) AND (char_length(paused_by) <= 200))),
    CONSTRAINT schedule_project_check CHECK (((char_length(project) >= 1) AND (char_length(project) <= 64))),
    CONSTRAINT schedule_time_zone_check CHECK (((char_length(time_zone) >= 1) AND (char_length(time_zone) <= 64))),
    CONSTRAINT schedule_user_name_check CHECK (((char_length(user_name) >= 1) AND (char_length(user_name) <= 200))),
    CONSTRAINT schedule_waiting CHECK (((waiting_at IS NULL) = (waiting_kind IS NULL))),
    CONSTRAINT schedule_waiting_kind_check CHECK ((waiting_kind = ANY (ARRAY['clock'::text, 'trigger'::text, 'backfill'::text])))
)
WITH (fillfactor='70');

CREATE TABLE archived_attempt (
    attempt_id bigint NOT NULL,
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL,
    outcome text NOT NULL,
    error text,
    worker_id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    seconds double precision,
    CONSTRAINT attempt_check CHECK (((outcome <> 'failed'::text) OR (error IS NOT NULL))),
    CONSTRAINT attempt_epoch_check CHECK ((epoch > 0)),
    CONSTRAINT attempt_outcome_check CHECK ((outcome = ANY (ARRAY['failed'::text, 'lost'::text, 'released'::text, 'cancelled'::text]))),
    CONSTRAINT attempt_seconds_check CHECK (((seconds >= (0)::double precision) AND (seconds < 'Infinity'::double precision)))
);

CREATE TABLE archived_result (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL,
    samples integer NOT NULL,
    incarnation uuid NOT NULL,
    worker_id bigint NOT NULL,
    bytes bigint NOT NULL,
    tokens bigint NOT NULL,
    seconds double precision NOT NULL,
    started_at timestamp with time zone NOT NULL,
    committed_at timestamp with time zone NOT NULL,
    sha256 bytea NOT NULL,
    path text NOT NULL,
    digest text NOT NULL,
    CONSTRAINT shard_result_bytes_check CHECK ((bytes > 0)),
    CONSTRAINT shard_result_digest_check CHECK (((char_length(digest) >= 1) AND (char_length(digest) <= 200))),
    CONSTRAINT shard_result_epoch_check CHECK ((epoch > 0)),
    CONSTRAINT shard_result_path_check CHECK ((((char_length(path) >= 1) AND (char_length(path) <= 1024)) AND (path !~ '(^/)|((^|/)\.\.?(/|$))|//|\\'::text))),
    CONSTRAINT shard_result_samples_check CHECK ((samples > 0)),
    CONSTRAINT shard_result_seconds_check CHECK (((seconds >= (0)::double precision) AND (seconds < 'Infinity'::double precision))),
    CONSTRAINT shard_result_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT shard_result_tokens_check CHECK ((tokens >= 0))
);

CREATE TABLE archived_shard (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    row_start integer NOT NULL,
    row_count integer NOT NULL,
    project_id integer NOT NULL,
    state shard_state NOT NULL,
    epoch integer NOT NULL,
    failures smallint NOT NULL,
    losses smallint NOT NULL,
    samples_done integer NOT NULL,
    tokens_done bigint NOT NULL,
    worker_id bigint,
    incarnation uuid,
    not_before timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    reason text,
    is_begun boolean DEFAULT true NOT NULL,
    avoid_worker bigint,
    avoid_until timestamp with time zone,
    CONSTRAINT shard_blocked_waits CHECK (((state = 'blocked'::shard_state) = (not_before IS NOT NULL))),
    CONSTRAINT shard_check CHECK (((samples_done >= 0) AND (samples_done <= row_count))),
    CONSTRAINT shard_claimed CHECK ((((epoch > 0) = (worker_id IS NOT NULL)) AND ((epoch > 0) = (incarnation IS NOT NULL)) AND ((epoch > 0) = (started_at IS NOT NULL)))),
    CONSTRAINT shard_done_is_complete CHECK (((state <> 'done'::shard_state) OR (samples_done = row_count))),
    CONSTRAINT shard_ended CHECK (((state = ANY (ARRAY['done'::shard_state, 'failed'::shard_state, 'cancelled'::shard_state, 'held'::shard_state])) = (ended_at IS NOT NULL))),
    CONSTRAINT shard_epoch_check CHECK ((epoch >= 0)),
    CONSTRAINT shard_failures_check CHECK ((failures >= 0)),
    CONSTRAINT shard_losses_check CHECK ((losses >= 0)),
    CONSTRAINT shard_reason CHECK (((state = ANY (ARRAY['failed'::shard_state, 'cancelled'::shard_state, 'held'::shard_state])) = (reason IS NOT NULL))),
    CONSTRAINT shard_row_count_check CHECK ((row_count > 0)),
    CONSTRAINT shard_row_start_check CHECK ((row_start >= 0)),
    CONSTRAINT shard_running_is_claimed CHECK (((state <> ALL (ARRAY['running'::shard_state, 'done'::shard_state, 'failed'::shard_state])) OR (epoch > 0))),
    CONSTRAINT shard_shard_no_check CHECK ((shard_no >= 0)),
    CONSTRAINT shard_tokens_done_check CHECK ((tokens_done >= 0))
);

CREATE TABLE attempt (
    attempt_id bigint NOT NULL,
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL,
    outcome text NOT NULL,
    error text,
    worker_id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seconds double precision,
    CONSTRAINT attempt_check CHECK (((outcome <> 'failed'::text) OR (error IS NOT NULL))),
    CONSTRAINT attempt_epoch_check CHECK ((epoch > 0)),
    CONSTRAINT attempt_outcome_check CHECK ((outcome = ANY (ARRAY['failed'::text, 'lost'::text, 'released'::text, 'cancelled'::text]))),
    CONSTRAINT attempt_seconds_check CHECK (((seconds >= (0)::double precision) AND (seconds < 'Infinity'::double precision)))
);

ALTER TABLE attempt ALTER COLUMN attempt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME attempt_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE chore (
    name text NOT NULL COLLATE pg_catalog."C",
    every_seconds double precision NOT NULL,
    succeeded_at timestamp with time zone,
    seconds double precision,
    changed bigint,
    failed_at timestamp with time zone,
    error text,
    CONSTRAINT chore_check CHECK (((failed_at IS NULL) = (error IS NULL))),
    CONSTRAINT chore_every_seconds_check CHECK ((every_seconds > (0)::double precision))
)
WITH (fillfactor='20');

CREATE TABLE data_set_split (
    name text NOT NULL COLLATE pg_catalog."C",
    config text NOT NULL COLLATE pg_catalog."C",
    split text NOT NULL COLLATE pg_catalog."C",
    sha256 bytea NOT NULL,
    row_count bigint NOT NULL,
    columns text[] NOT NULL,
    source text NOT NULL,
    user_name text NOT NULL,
    added_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    added_by name DEFAULT SESSION_USER,
    CONSTRAINT data_set_split_columns_check CHECK (((cardinality(columns) <= 10000) AND (array_position(columns, NULL::text) IS NULL))),
    CONSTRAINT data_set_split_config_check CHECK (((char_length(config) <= 200) AND (config ~ '^[\x20-\x2e\x30-\x5b\x5d-\x7e]*$'::text))),
    CONSTRAINT data_set_split_name_check CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 200)) AND (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$'::text))),
    CONSTRAINT data_set_split_row_count_check CHECK ((row_count > 0)),
    CONSTRAINT data_set_split_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT data_set_split_source_check CHECK (((char_length(source) >= 1) AND (char_length(source) <= 4096))),
    CONSTRAINT data_set_split_split_check CHECK ((((char_length(split) >= 1) AND (char_length(split) <= 100)) AND (split ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*$'::text))),
    CONSTRAINT data_set_split_user_name_check CHECK (((char_length(user_name) >= 1) AND (char_length(user_name) <= 200)))
);

CREATE VIEW every_attempt AS
 SELECT attempt.attempt_id,
    attempt.job_id,
    attempt.shard_no,
    attempt.epoch,
    attempt.outcome,
    attempt.error,
    attempt.worker_id,
    attempt.started_at,
    attempt.ended_at,
    attempt.seconds
   FROM attempt
UNION ALL
 SELECT archived_attempt.attempt_id,
    archived_attempt.job_id,
    archived_attempt.shard_no,
    archived_attempt.epoch,
    archived_attempt.outcome,
    archived_attempt.error,
    archived_attempt.worker_id,
    archived_attempt.started_at,
    archived_attempt.ended_at,
    archived_attempt.seconds
   FROM archived_attempt;

CREATE TABLE shard_result (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL,
    samples integer NOT NULL,
    incarnation uuid NOT NULL,
    worker_id bigint NOT NULL,
    bytes bigint NOT NULL,
    tokens bigint NOT NULL,
    seconds double precision NOT NULL,
    started_at timestamp with time zone NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sha256 bytea NOT NULL,
    path text NOT NULL,
    digest text NOT NULL,
    CONSTRAINT shard_result_is_sound CHECK (result_is_sound(epoch, samples, bytes, tokens, seconds, sha256, path, digest))
);

CREATE VIEW every_result AS
 SELECT shard_result.job_id,
    shard_result.shard_no,
    shard_result.epoch,
    shard_result.samples,
    shard_result.incarnation,
    shard_result.worker_id,
    shard_result.bytes,
    shard_result.tokens,
    shard_result.seconds,
    shard_result.started_at,
    shard_result.committed_at,
    shard_result.sha256,
    shard_result.path,
    shard_result.digest
   FROM shard_result
UNION ALL
 SELECT archived_result.job_id,
    archived_result.shard_no,
    archived_result.epoch,
    archived_result.samples,
    archived_result.incarnation,
    archived_result.worker_id,
    archived_result.bytes,
    archived_result.tokens,
    archived_result.seconds,
    archived_result.started_at,
    archived_result.committed_at,
    archived_result.sha256,
    archived_result.path,
    archived_result.digest
   FROM archived_result;

CREATE TABLE shard (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    row_start integer NOT NULL,
    row_count integer NOT NULL,
    project_id integer NOT NULL,
    state shard_state DEFAULT 'ready'::shard_state NOT NULL,
    epoch integer DEFAULT 0 NOT NULL,
    failures smallint DEFAULT 0 NOT NULL,
    losses smallint DEFAULT 0 NOT NULL,
    samples_done integer DEFAULT 0 NOT NULL,
    tokens_done bigint DEFAULT 0 NOT NULL,
    worker_id bigint,
    incarnation uuid,
    not_before timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    reason text,
    is_begun boolean DEFAULT true NOT NULL,
    avoid_worker bigint,
    avoid_until timestamp with time zone,
    CONSTRAINT shard_is_sound CHECK (shard_is_sound(shard_no, row_start, row_count, state, epoch, failures, losses, samples_done, tokens_done, worker_id, incarnation, not_before, started_at, ended_at, reason, avoid_worker, avoid_until))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_cost_delay='0');

CREATE VIEW every_shard AS
 SELECT shard.job_id,
    shard.shard_no,
    shard.row_start,
    shard.row_count,
    shard.project_id,
    shard.state,
    shard.epoch,
    shard.failures,
    shard.losses,
    shard.samples_done,
    shard.tokens_done,
    shard.worker_id,
    shard.incarnation,
    shard.not_before,
    shard.started_at,
    shard.ended_at,
    shard.reason,
    shard.is_begun,
    shard.avoid_worker,
    shard.avoid_until
   FROM shard
UNION ALL
 SELECT archived_shard.job_id,
    archived_shard.shard_no,
    archived_shard.row_start,
    archived_shard.row_count,
    archived_shard.project_id,
    archived_shard.state,
    archived_shard.epoch,
    archived_shard.failures,
    archived_shard.losses,
    archived_shard.samples_done,
    archived_shard.tokens_done,
    archived_shard.worker_id,
    archived_shard.incarnation,
    archived_shard.not_before,
    archived_shard.started_at,
    archived_shard.ended_at,
    archived_shard.reason,
    archived_shard.is_begun,
    archived_shard.avoid_worker,
    archived_shard.avoid_until
   FROM archived_shard;

CREATE TABLE grantee (
    role_name name NOT NULL,
    ability text NOT NULL,
    granted_by name DEFAULT SESSION_USER NOT NULL,
    granted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT grantee_ability_check CHECK ((ability = ANY (ARRAY['reader'::text, 'submitter'::text, 'worker'::text, 'operator'::text])))
);

CREATE TABLE history_permit (
    txid xid8 NOT NULL
);

CREATE TABLE job (
    job_id bigint NOT NULL,
    run_id text NOT NULL COLLATE pg_catalog."C",
    ordinal integer NOT NULL,
    project_id integer NOT NULL,
    tier smallint NOT NULL,
    max_attempts smallint NOT NULL,
    is_runnable boolean DEFAULT true NOT NULL,
    is_cancelled boolean DEFAULT false NOT NULL,
    need_gpu_mb integer NOT NULL,
    load_seconds real DEFAULT 60 NOT NULL,
    sample_count integer NOT NULL,
    shard_count integer NOT NULL,
    task text NOT NULL,
    model text NOT NULL,
    model_sha256 bytea NOT NULL,
    spec_sha256 bytea NOT NULL,
    need_labels text[] NOT NULL,
    gate text DEFAULT 'open'::text NOT NULL,
    gate_reason text,
    cancel_reason text,
    need_device text,
    max_failures integer,
    is_swept boolean DEFAULT true NOT NULL,
    work bytea,
    engine_mark bigint,
    CONSTRAINT job_cancel_reason CHECK (((cancel_reason IS NULL) OR is_cancelled)),
    CONSTRAINT job_cancelled_is_open CHECK (((gate = 'open'::text) OR (NOT is_cancelled))),
    CONSTRAINT job_check CHECK ((NOT (is_cancelled AND is_runnable))),
    CONSTRAINT job_gate_check CHECK ((gate = ANY (ARRAY['open'::text, 'waiting'::text, 'held'::text]))),
    CONSTRAINT job_gate_reason CHECK (((gate = 'open'::text) = (gate_reason IS NULL))),
    CONSTRAINT job_gate_shut CHECK (((gate = 'open'::text) OR (NOT is_runnable))),
    CONSTRAINT job_load_seconds_check CHECK (((load_seconds >= (0)::double precision) AND (load_seconds <= (3600)::double precision))),
    CONSTRAINT job_max_attempts_check CHECK (((max_attempts >= 1) AND (max_attempts <= 100))),
    CONSTRAINT job_max_failures_check CHECK ((max_failures >= 0)),
    CONSTRAINT job_model_check CHECK (((char_length(model) >= 1) AND (char_length(model) <= 200))),
    CONSTRAINT job_model_sha256_check CHECK ((octet_length(model_sha256) = 32)),
    CONSTRAINT job_need_device_check CHECK ((need_device ~ '^[a-z0-9]{1,20}$'::text)),
    CONSTRAINT job_need_gpu_mb_check CHECK ((need_gpu_mb >= 0)),
    CONSTRAINT job_ordinal_check CHECK ((ordinal >= 0)),
    CONSTRAINT job_sample_count_check CHECK ((sample_count > 0)),
    CONSTRAINT job_shard_count_check CHECK ((shard_count > 0)),
    CONSTRAINT job_swept CHECK ((is_swept OR is_cancelled)),
    CONSTRAINT job_task_check CHECK (((char_length(task) >= 1) AND (char_length(task) <= 200))),
    CONSTRAINT job_tier_check CHECK (((tier >= 0) AND (tier <= 3))),
    CONSTRAINT job_work_check CHECK ((octet_length(work) = 32))
)
WITH (fillfactor='70');

CREATE TABLE job_tally (
    job_id bigint NOT NULL,
    blocked bigint DEFAULT 0 NOT NULL,
    ready bigint DEFAULT 0 NOT NULL,
    running bigint DEFAULT 0 NOT NULL,
    done bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    cancelled bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    samples_done bigint DEFAULT 0 NOT NULL,
    tokens_done bigint DEFAULT 0 NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT job_tally_blocked_check CHECK ((blocked >= 0)),
    CONSTRAINT job_tally_cancelled_check CHECK ((cancelled >= 0)),
    CONSTRAINT job_tally_done_check CHECK ((done >= 0)),
    CONSTRAINT job_tally_failed_check CHECK ((failed >= 0)),
    CONSTRAINT job_tally_held_check CHECK ((held >= 0)),
    CONSTRAINT job_tally_ready_check CHECK ((ready >= 0)),
    CONSTRAINT job_tally_running_check CHECK ((running >= 0)),
    CONSTRAINT job_tally_samples_done_check CHECK ((samples_done >= 0)),
    CONSTRAINT job_tally_tokens_done_check CHECK ((tokens_done >= 0))
)
WITH (fillfactor='50');

CREATE TABLE tally_change (
    job_id bigint NOT NULL,
    blocked integer NOT NULL,
    ready integer NOT NULL,
    running integer NOT NULL,
    done integer NOT NULL,
    failed integer NOT NULL,
    cancelled integer NOT NULL,
    held integer NOT NULL,
    samples_done bigint NOT NULL,
    tokens_done bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0');

CREATE VIEW job_counts AS
 SELECT j.job_id,
    j.gate,
        CASE
            WHEN (j.is_cancelled OR (j.gate = 'held'::text)) THEN (0)::bigint
            WHEN (j.gate = 'waiting'::text) THEN (n.blocked + n.ready)
            ELSE n.blocked
        END AS blocked,
        CASE
            WHEN (j.is_cancelled OR (j.gate <> 'open'::text)) THEN (0)::bigint
            ELSE n.ready
        END AS ready,
    n.running,
    n.done,
    n.failed,
        CASE
            WHEN j.is_cancelled THEN (((n.cancelled + n.blocked) + n.ready) + n.held)
            ELSE n.cancelled
        END AS cancelled,
        CASE
            WHEN j.is_cancelled THEN (0)::bigint
            WHEN (j.gate = 'held'::text) THEN ((n.held + n.blocked) + n.ready)
            ELSE n.held
        END AS held,
    n.samples_done,
    n.tokens_done,
    n.started_at,
    n.ended_at
   FROM (job j
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(p.blocked), (0)::numeric))::bigint AS blocked,
            (COALESCE(sum(p.ready), (0)::numeric))::bigint AS ready,
            (COALESCE(sum(p.running), (0)::numeric))::bigint AS running,
            (COALESCE(sum(p.done), (0)::numeric))::bigint AS done,
            (COALESCE(sum(p.failed), (0)::numeric))::bigint AS failed,
            (COALESCE(sum(p.cancelled), (0)::numeric))::bigint AS cancelled,
            (COALESCE(sum(p.held), (0)::numeric))::bigint AS held,
            (COALESCE(sum(p.samples_done), (0)::numeric))::bigint AS samples_done,
            (COALESCE(sum(p.tokens_done), (0)::numeric))::bigint AS tokens_done,
            min(p.started_at) AS started_at,
            max(p.ended_at) AS ended_at
           FROM ( SELECT t.blocked,
                    t.ready,
                    t.running,
                    t.done,
                    t.failed,
                    t.cancelled,
                    t.held,
                    t.samples_done,
                    t.tokens_done,
                    t.started_at,
                    t.ended_at
                   FROM job_tally t
                  WHERE (t.job_id = j.job_id)
                UNION ALL
                 SELECT c.blocked,
                    c.ready,
                    c.running,
                    c.done,
                    c.failed,
                    c.cancelled,
                    c.held,
                    c.samples_done,
                    c.tokens_done,
                        CASE
                            WHEN (c.running > 0) THEN c.changed_at
                            ELSE NULL::timestamp with time zone
                        END AS "case",
                        CASE
                            WHEN ((((c.done + c.failed) + c.cancelled) + c.held) > 0) THEN c.changed_at
                            ELSE NULL::timestamp with time zone
                        END AS "case"
                   FROM tally_change c
                  WHERE (c.job_id = j.job_id)) p) n);

CREATE VIEW job_counts_in_bulk AS
 SELECT j.job_id,
    j.gate,
        CASE
            WHEN (j.is_cancelled OR (j.gate = 'held'::text)) THEN (0)::bigint
            WHEN (j.gate = 'waiting'::text) THEN (n.blocked + n.ready)
            ELSE n.blocked
        END AS blocked,
        CASE
            WHEN (j.is_cancelled OR (j.gate <> 'open'::text)) THEN (0)::bigint
            ELSE n.ready
        END AS ready,
    n.running,
    n.done,
    n.failed,
        CASE
            WHEN j.is_cancelled THEN (((n.cancelled + n.blocked) + n.ready) + n.held)
            ELSE n.cancelled
        END AS cancelled,
        CASE
            WHEN j.is_cancelled THEN (0)::bigint
            WHEN (j.gate = 'held'::text) THEN ((n.held + n.blocked) + n.ready)
            ELSE n.held
        END AS held,
    n.samples_done,
    n.tokens_done,
    n.started_at,
    n.ended_at,
    j.run_id,
    j.ordinal,
    j.project_id,
    j.task,
    j.model,
    j.model_sha256,
    j.need_labels,
    j.need_gpu_mb,
    j.need_device,
    j.max_attempts,
    j.max_failures,
    j.tier,
    COALESCE(j.gate_reason, j.cancel_reason) AS reason,
    j.sample_count,
    j.is_runnable
   FROM (((job j
     JOIN job_tally t USING (job_id))
     LEFT JOIN ( SELECT c_1.job_id,
            sum(c_1.blocked) AS blocked,
            sum(c_1.ready) AS ready,
            sum(c_1.running) AS running,
            sum(c_1.done) AS done,
            sum(c_1.failed) AS failed,
            sum(c_1.cancelled) AS cancelled,
            sum(c_1.held) AS held,
            (sum(c_1.samples_done))::bigint AS samples_done,
            (sum(c_1.tokens_done))::bigint AS tokens_done,
            min(c_1.changed_at) FILTER (WHERE (c_1.running > 0)) AS started_at,
            max(c_1.changed_at) FILTER (WHERE ((((c_1.done + c_1.failed) + c_1.cancelled) + c_1.held) > 0)) AS ended_at
           FROM tally_change c_1
          GROUP BY c_1.job_id) c USING (job_id))
     CROSS JOIN LATERAL ( SELECT (t.blocked + COALESCE(c.blocked, (0)::bigint)) AS blocked,
            (t.ready + COALESCE(c.ready, (0)::bigint)) AS ready,
            (t.running + COALESCE(c.running, (0)::bigint)) AS running,
            (t.done + COALESCE(c.done, (0)::bigint)) AS done,
            (t.failed + COALESCE(c.failed, (0)::bigint)) AS failed,
            (t.cancelled + COALESCE(c.cancelled, (0)::bigint)) AS cancelled,
            (t.held + COALESCE(c.held, (0)::bigint)) AS held,
            (t.samples_done + COALESCE(c.samples_done, (0)::bigint)) AS samples_done,
            (t.tokens_done + COALESCE(c.tokens_done, (0)::bigint)) AS tokens_done,
            LEAST(t.started_at, c.started_at) AS started_at,
            GREATEST(t.ended_at, c.ended_at) AS ended_at) n);

CREATE TABLE job_dependency (
    job_id bigint NOT NULL,
    needs_job bigint NOT NULL,
    condition text NOT NULL,
    CONSTRAINT job_dependency_check CHECK ((needs_job < job_id)),
    CONSTRAINT job_dependency_condition_check CHECK ((condition = ANY (ARRAY['ok'::text, 'any'::text])))
);

CREATE TABLE job_engine (
    job_id bigint NOT NULL,
    engine text,
    is_mixed boolean DEFAULT false NOT NULL,
    CONSTRAINT job_engine_check CHECK (((engine IS NOT NULL) OR is_mixed))
);

ALTER TABLE job ALTER COLUMN job_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME job_job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE job_need (
    job_id bigint NOT NULL,
    needs_run text NOT NULL COLLATE pg_catalog."C",
    needs_ordinal integer,
    condition text NOT NULL,
    is_settled boolean DEFAULT false NOT NULL,
    CONSTRAINT job_need_condition_check CHECK ((condition = ANY (ARRAY['ok'::text, 'any'::text]))),
    CONSTRAINT job_need_needs_ordinal_check CHECK ((needs_ordinal >= 0))
);

CREATE TABLE job_spec (
    sha256 bytea NOT NULL,
    specification text NOT NULL,
    CONSTRAINT job_spec_sha256_check CHECK ((octet_length(sha256) = 32))
);

CREATE TABLE model (
    name text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL,
    sha256 bytea NOT NULL,
    bytes bigint NOT NULL,
    architecture text NOT NULL,
    parameters bigint NOT NULL,
    context_length integer NOT NULL,
    vocabulary_size integer NOT NULL,
    tokenizer_sha256 bytea NOT NULL,
    quantization text NOT NULL,
    added_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    added_by name DEFAULT SESSION_USER,
    CONSTRAINT model_bytes_check CHECK ((bytes > 0)),
    CONSTRAINT model_context_length_check CHECK ((context_length >= 0)),
    CONSTRAINT model_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT model_parameters_check CHECK ((parameters >= 0)),
    CONSTRAINT model_path_check CHECK (((char_length(path) >= 1) AND (char_length(path) <= 4096))),
    CONSTRAINT model_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT model_tokenizer_sha256_check CHECK ((octet_length(tokenizer_sha256) = 32)),
    CONSTRAINT model_vocabulary_size_check CHECK ((vocabulary_size >= 0))
);

CREATE TABLE needed_run (
    run_id text NOT NULL COLLATE pg_catalog."C",
    is_due boolean DEFAULT true NOT NULL,
    checked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE pace (
    model_sha256 bytea NOT NULL,
    task text NOT NULL,
    device text NOT NULL,
    samples double precision NOT NULL,
    tokens double precision NOT NULL,
    seconds double precision NOT NULL,
    measured_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pace_samples_check CHECK ((samples >= (0)::double precision)),
    CONSTRAINT pace_seconds_check CHECK ((seconds > (0)::double precision)),
    CONSTRAINT pace_tokens_check CHECK ((tokens >= (0)::double precision))
);

CREATE TABLE project (
    project_id integer NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    weight double precision DEFAULT 1 NOT NULL,
    used_seconds double precision DEFAULT 0 NOT NULL,
    used_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    soft_cap integer,
    hard_cap integer,
    max_tier smallint,
    CONSTRAINT project_hard_cap_check CHECK ((hard_cap >= 0)),
    CONSTRAINT project_max_tier_check CHECK (((max_tier >= 0) AND (max_tier <= 3))),
    CONSTRAINT project_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 64))),
    CONSTRAINT project_soft_cap_check CHECK ((soft_cap >= 0)),
    CONSTRAINT project_used_seconds_check CHECK (((used_seconds >= (0)::double precision) AND (used_seconds < 'Infinity'::double precision))),
    CONSTRAINT project_weight_check CHECK (((weight > (0)::double precision) AND (weight < 'Infinity'::double precision)))
)
WITH (fillfactor='50');

ALTER TABLE project ALTER COLUMN project_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME project_project_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE project_turn (
    project_id integer NOT NULL
);

CREATE TABLE queue_clock (
    is_only boolean DEFAULT true NOT NULL,
    observed_seconds double precision DEFAULT 0 NOT NULL,
    cap_seconds double precision DEFAULT 20 NOT NULL,
    ticked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT queue_clock_cap_seconds_check CHECK ((cap_seconds > (0)::double precision)),
    CONSTRAINT queue_clock_is_only_check CHECK (is_only)
)
WITH (fillfactor='10');

CREATE TABLE run (
    run_id text NOT NULL COLLATE pg_catalog."C",
    project_id integer NOT NULL,
    name text NOT NULL,
    user_name text NOT NULL,
    tier smallint NOT NULL,
    submission_sha256 bytea NOT NULL,
    specification text NOT NULL,
    submitted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cancelled_at timestamp with time zone,
    archived_at timestamp with time zone,
    is_moved boolean DEFAULT true NOT NULL,
    submitted_by name DEFAULT SESSION_USER,
    CONSTRAINT run_moved CHECK ((is_moved OR (archived_at IS NOT NULL))),
    CONSTRAINT run_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT run_run_id_check CHECK ((run_id ~ '^[0-9a-hjkmnp-tv-z]{8}$'::text)),
    CONSTRAINT run_submission_sha256_check CHECK ((octet_length(submission_sha256) = 32)),
    CONSTRAINT run_tier_check CHECK (((tier >= 0) AND (tier <= 3))),
    CONSTRAINT run_user_name_check CHECK (((char_length(user_name) >= 1) AND (char_length(user_name) <= 200)))
);

CREATE TABLE schedule_fire (
    schedule_id bigint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempt integer NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    reason text,
    run_id text COLLATE pg_catalog."C",
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schedule_fire_attempt_check CHECK ((attempt > 0)),
    CONSTRAINT schedule_fire_kind_check CHECK ((kind = ANY (ARRAY['clock'::text, 'trigger'::text, 'backfill'::text]))),
    CONSTRAINT schedule_fire_outcome_check CHECK ((outcome = ANY (ARRAY['fired'::text, 'skipped'::text, 'failed'::text]))),
    CONSTRAINT schedule_fire_reason CHECK (((outcome = 'fired'::text) OR (reason IS NOT NULL))),
    CONSTRAINT schedule_fire_run CHECK (((outcome = 'fired'::text) = (run_id IS NOT NULL)))
);

CREATE TABLE schedule_run (
    run_id text NOT NULL COLLATE pg_catalog."C",
    schedule_id bigint NOT NULL,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE schedule ALTER COLUMN schedule_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME schedule_schedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE schema_contract (
    is_only boolean DEFAULT true NOT NULL,
    min_program integer NOT NULL,
    CONSTRAINT schema_contract_is_only_check CHECK (is_only),
    CONSTRAINT schema_contract_min_program_check CHECK ((min_program > 0))
);

CREATE TABLE schema_functions (
    is_only boolean DEFAULT true NOT NULL,
    sha256 bytea NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_functions_is_only_check CHECK (is_only),
    CONSTRAINT schema_functions_sha256_check CHECK ((octet_length(sha256) = 32))
);

CREATE TABLE schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT schema_migration_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT schema_migration_version_check CHECK ((version > 0))
);

CREATE TABLE store_identity (
    adoption_id bigint NOT NULL,
    store_uuid uuid NOT NULL,
    database_uuid uuid DEFAULT gen_random_uuid() NOT NULL,
    system_identifier bigint NOT NULL,
    database_oid oid NOT NULL,
    path text NOT NULL,
    adopted_by text NOT NULL,
    session_role text DEFAULT SESSION_USER NOT NULL,
    adopted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT store_identity_adopted_by_check CHECK (((char_length(adopted_by) >= 1) AND (char_length(adopted_by) <= 200))),
    CONSTRAINT store_identity_path_check CHECK (((char_length(path) >= 1) AND (char_length(path) <= 4096)))
);

ALTER TABLE store_identity ALTER COLUMN adoption_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store_identity_adoption_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE usage_queue (
    job_id bigint NOT NULL,
    worker_id bigint NOT NULL,
    samples bigint NOT NULL,
    tokens bigint NOT NULL,
    seconds double precision NOT NULL,
    is_result boolean NOT NULL,
    CONSTRAINT usage_queue_is_a_number CHECK ((seconds < 'Infinity'::double precision))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0');

CREATE TABLE withdrawn_result (
    withdrawal_id bigint NOT NULL,
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL,
    samples integer NOT NULL,
    incarnation uuid NOT NULL,
    worker_id bigint NOT NULL,
    bytes bigint NOT NULL,
    tokens bigint NOT NULL,
    seconds double precision NOT NULL,
    started_at timestamp with time zone NOT NULL,
    committed_at timestamp with time zone NOT NULL,
    sha256 bytea NOT NULL,
    path text NOT NULL,
    digest text NOT NULL,
    reason text NOT NULL,
    withdrawn_by text NOT NULL,
    session_role text DEFAULT SESSION_USER NOT NULL,
    withdrawn_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT withdrawn_result_epoch_check CHECK ((epoch > 0)),
    CONSTRAINT withdrawn_result_reason_check CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 2000))),
    CONSTRAINT withdrawn_result_withdrawn_by_check CHECK (((char_length(withdrawn_by) >= 1) AND (char_length(withdrawn_by) <= 200)))
);

ALTER TABLE withdrawn_result ALTER COLUMN withdrawal_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME withdrawn_result_withdrawal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE worker (
    worker_id bigint NOT NULL,
    incarnation uuid NOT NULL,
    state text DEFAULT 'live'::text NOT NULL,
    is_draining boolean DEFAULT false NOT NULL,
    ttl_seconds double precision NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    registered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    warm_since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    pid integer NOT NULL,
    gpu_mb integer NOT NULL,
    host text NOT NULL,
    device text NOT NULL,
    engine text NOT NULL,
    labels text[] NOT NULL,
    warm bytea[] NOT NULL,
    device_kind text NOT NULL,
    seen_seconds double precision DEFAULT 0 NOT NULL,
    note text,
    registered_by name DEFAULT SESSION_USER,
    schema_version integer,
    identity text,
    engine_mark bigint,
    CONSTRAINT worker_check CHECK (((state = 'live'::text) = (ended_at IS NULL))),
    CONSTRAINT worker_device_kind_check CHECK ((device_kind ~ '^[a-z0-9]{1,20}$'::text)),
    CONSTRAINT worker_gpu_mb_check CHECK ((gpu_mb >= 0)),
    CONSTRAINT worker_identity_check CHECK (((char_length(identity) >= 1) AND (char_length(identity) <= 20000))),
    CONSTRAINT worker_note_check CHECK (((char_length(note) >= 1) AND (char_length(note) <= 1000))),
    CONSTRAINT worker_schema_version_check CHECK ((schema_version > 0)),
    CONSTRAINT worker_state_check CHECK ((state = ANY (ARRAY['live'::text, 'dead'::text, 'left'::text]))),
    CONSTRAINT worker_ttl_seconds_check CHECK (((ttl_seconds > (0)::double precision) AND (ttl_seconds <= (86400)::double precision)))
)
WITH (fillfactor='50');

CREATE TABLE worker_use (
    worker_id bigint NOT NULL
);

ALTER TABLE worker ALTER COLUMN worker_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME worker_worker_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY archived_attempt
    ADD CONSTRAINT archived_attempt_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY archived_result
    ADD CONSTRAINT archived_result_pkey PRIMARY KEY (job_id, shard_no);

ALTER TABLE ONLY archived_shard
    ADD CONSTRAINT archived_shard_pkey PRIMARY KEY (job_id, shard_no);

ALTER TABLE ONLY attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY chore
    ADD CONSTRAINT chore_pkey PRIMARY KEY (name);

ALTER TABLE ONLY data_set_split
    ADD CONSTRAINT data_set_split_pkey PRIMARY KEY (name, config, split);

ALTER TABLE ONLY grantee
    ADD CONSTRAINT grantee_pkey PRIMARY KEY (role_name, ability);

ALTER TABLE ONLY history_permit
    ADD CONSTRAINT history_permit_pkey PRIMARY KEY (txid);

ALTER TABLE ONLY job_dependency
    ADD CONSTRAINT job_dependency_pkey PRIMARY KEY (job_id, needs_job);

ALTER TABLE ONLY job_engine
    ADD CONSTRAINT job_engine_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY job
    ADD CONSTRAINT job_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY job
    ADD CONSTRAINT job_run_id_ordinal_key UNIQUE (run_id, ordinal);

ALTER TABLE ONLY job_spec
    ADD CONSTRAINT job_spec_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY job_tally
    ADD CONSTRAINT job_tally_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY model
    ADD CONSTRAINT model_pkey PRIMARY KEY (name);

ALTER TABLE ONLY needed_run
    ADD CONSTRAINT needed_run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY pace
    ADD CONSTRAINT pace_pkey PRIMARY KEY (model_sha256, task, device);

ALTER TABLE ONLY project
    ADD CONSTRAINT project_name_key UNIQUE (name);

ALTER TABLE ONLY project
    ADD CONSTRAINT project_pkey PRIMARY KEY (project_id);

ALTER TABLE ONLY project_turn
    ADD CONSTRAINT project_turn_pkey PRIMARY KEY (project_id);

ALTER TABLE ONLY queue_clock
    ADD CONSTRAINT queue_clock_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY schedule_fire
    ADD CONSTRAINT schedule_fire_pkey PRIMARY KEY (schedule_id, due_at, attempt);

ALTER TABLE ONLY schedule_fire
    ADD CONSTRAINT schedule_fire_run_id_key UNIQUE (run_id);

ALTER TABLE ONLY schedule
    ADD CONSTRAINT schedule_key_key UNIQUE (key);

ALTER TABLE ONLY schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (schedule_id);

ALTER TABLE ONLY schedule_run
    ADD CONSTRAINT schedule_run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY schema_contract
    ADD CONSTRAINT schema_contract_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY schema_functions
    ADD CONSTRAINT schema_functions_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY shard
    ADD CONSTRAINT shard_pkey PRIMARY KEY (job_id, shard_no);

ALTER TABLE ONLY shard_result
    ADD CONSTRAINT shard_result_pkey PRIMARY KEY (job_id, shard_no);

ALTER TABLE ONLY store_identity
    ADD CONSTRAINT store_identity_database_uuid_key UNIQUE (database_uuid);

ALTER TABLE ONLY store_identity
    ADD CONSTRAINT store_identity_pkey PRIMARY KEY (adoption_id);

ALTER TABLE ONLY withdrawn_result
    ADD CONSTRAINT withdrawn_result_job_id_shard_no_epoch_incarnation_key UNIQUE (job_id, shard_no, epoch, incarnation);

ALTER TABLE ONLY withdrawn_result
    ADD CONSTRAINT withdrawn_result_pkey PRIMARY KEY (withdrawal_id);

ALTER TABLE ONLY worker
    ADD CONSTRAINT worker_incarnation_key UNIQUE (incarnation);

ALTER TABLE ONLY worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (worker_id);

ALTER TABLE ONLY worker_use
    ADD CONSTRAINT worker_use_pkey PRIMARY KEY (worker_id);

CREATE INDEX archived_attempt_of_shard ON archived_attempt USING btree (job_id, shard_no, epoch);

CREATE INDEX archived_shard_troubled ON archived_shard USING btree (job_id, shard_no) WHERE (state = ANY (ARRAY['failed'::shard_state, 'held'::shard_state]));

CREATE INDEX attempt_of_shard ON attempt USING btree (job_id, shard_no, epoch);

CREATE INDEX attempt_of_worker ON attempt USING btree (worker_id);

CREATE INDEX attempt_troubled ON attempt USING btree (job_id, attempt_id DESC) WHERE (error IS NOT NULL);

CREATE UNIQUE INDEX job_need_once ON job_need USING btree (job_id, needs_run, COALESCE(needs_ordinal, '-1'::integer));

CREATE INDEX job_need_unmet ON job_need USING btree (needs_run, job_id) WHERE (NOT is_settled);

CREATE INDEX job_need_unmet_of_job ON job_need USING btree (job_id) WHERE (NOT is_settled);

CREATE INDEX job_of_work ON job USING btree (work, job_id) WHERE (work IS NOT NULL);

CREATE INDEX job_runnable ON job USING btree (project_id, tier DESC, job_id) WHERE is_runnable;

CREATE INDEX job_runnable_by_model ON job USING btree (project_id, model_sha256, tier DESC, job_id) WHERE is_runnable;

CREATE INDEX job_tally_open ON job_tally USING btree (job_id) WHERE (((blocked + ready) + running) > 0);

CREATE INDEX job_tally_ready ON job_tally USING btree (job_id) WHERE (ready > 0);

CREATE INDEX job_to_sweep ON job USING btree (job_id) WHERE (NOT is_swept);

CREATE INDEX job_waiting ON job USING btree (job_id) WHERE (gate = 'waiting'::text);

CREATE INDEX run_newest ON run USING btree (submitted_at DESC, run_id);

CREATE INDEX run_newest_of_project ON run USING btree (project_id, submitted_at DESC, run_id);

CREATE INDEX run_to_archive ON run USING btree (submitted_at) WHERE (archived_at IS NULL);

CREATE INDEX run_to_move ON run USING btree (archived_at) WHERE (NOT is_moved);

CREATE UNIQUE INDEX schedule_fire_by_clock ON schedule_fire USING btree (schedule_id, due_at) WHERE (kind = 'clock'::text);

CREATE UNIQUE INDEX schedule_fire_once ON schedule_fire USING btree (schedule_id, due_at) WHERE (outcome = 'fired'::text);

CREATE INDEX schedule_look ON schedule USING btree (look_at) WHERE (removed_at IS NULL);

CREATE UNIQUE INDEX schedule_name ON schedule USING btree (name) WHERE (removed_at IS NULL);

CREATE INDEX schedule_run_of_schedule ON schedule_run USING btree (schedule_id);

CREATE INDEX shard_blocked ON shard USING btree (not_before) WHERE (state = 'blocked'::shard_state);

CREATE INDEX shard_fetched ON shard USING btree (started_at) WHERE ((state = 'running'::shard_state) AND (NOT is_begun));

CREATE INDEX shard_ready ON shard USING btree (job_id, shard_no) WHERE (state = 'ready'::shard_state);

CREATE INDEX shard_running ON shard USING btree (worker_id, project_id) WHERE (state = 'running'::shard_state);

CREATE INDEX shard_troubled ON shard USING btree (job_id, shard_no) WHERE (state = ANY (ARRAY['failed'::shard_state, 'held'::shard_state]));

CREATE INDEX tally_change_of_job ON tally_change USING btree (job_id);

CREATE INDEX worker_ended ON worker USING btree (ended_at) WHERE (state <> 'live'::text);

CREATE INDEX worker_live ON worker USING btree (worker_id) WHERE (state = 'live'::text);

CREATE TRIGGER dependency_noted AFTER INSERT ON job_dependency FOR EACH ROW EXECUTE FUNCTION note_dependency();

CREATE TRIGGER immutable BEFORE UPDATE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON store_identity FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER immutable BEFORE UPDATE ON withdrawn_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE TRIGGER lease_begun BEFORE INSERT ON worker FOR EACH ROW EXECUTE FUNCTION begin_lease();

CREATE TRIGGER needs_noted AFTER INSERT ON job_need REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_needs();

CREATE TRIGGER permanent BEFORE DELETE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE OR TRUNCATE ON store_identity FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER permanent BEFORE DELETE OR TRUNCATE ON withdrawn_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER tally_begun AFTER INSERT ON job FOR EACH ROW EXECUTE FUNCTION begin_tally();

CREATE TRIGGER tally_changed AFTER UPDATE ON shard REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_changed_shards();

CREATE TRIGGER tally_new AFTER INSERT ON shard REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_new_shards();

CREATE TRIGGER whole BEFORE TRUNCATE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER whole BEFORE TRUNCATE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER whole BEFORE TRUNCATE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER whole BEFORE TRUNCATE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER whole BEFORE TRUNCATE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER whole BEFORE TRUNCATE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

CREATE TRIGGER whole BEFORE TRUNCATE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

ALTER TABLE ONLY attempt
    ADD CONSTRAINT attempt_job_id_shard_no_fkey FOREIGN KEY (job_id, shard_no) REFERENCES shard(job_id, shard_no);

ALTER TABLE ONLY attempt
    ADD CONSTRAINT attempt_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES worker(worker_id);

ALTER TABLE ONLY job_dependency
    ADD CONSTRAINT job_dependency_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(job_id);

ALTER TABLE ONLY job_dependency
    ADD CONSTRAINT job_dependency_needs_job_fkey FOREIGN KEY (needs_job) REFERENCES job(job_id);

ALTER TABLE ONLY job_need
    ADD CONSTRAINT job_need_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(job_id);

ALTER TABLE ONLY job_need
    ADD CONSTRAINT job_need_needs_run_fkey FOREIGN KEY (needs_run) REFERENCES run(run_id);

ALTER TABLE ONLY job
    ADD CONSTRAINT job_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(project_id);

ALTER TABLE ONLY job
    ADD CONSTRAINT job_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(run_id);

ALTER TABLE ONLY job
    ADD CONSTRAINT job_spec_sha256_fkey FOREIGN KEY (spec_sha256) REFERENCES job_spec(sha256);

ALTER TABLE ONLY job_tally
    ADD CONSTRAINT job_tally_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(job_id);

ALTER TABLE ONLY needed_run
    ADD CONSTRAINT needed_run_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(run_id);

ALTER TABLE ONLY run
    ADD CONSTRAINT run_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(project_id);

ALTER TABLE ONLY schedule_fire
    ADD CONSTRAINT schedule_fire_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES schedule(schedule_id);

ALTER TABLE ONLY schedule_run
    ADD CONSTRAINT schedule_run_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES schedule(schedule_id);

ALTER TABLE ONLY shard
    ADD CONSTRAINT shard_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(job_id);

ALTER TABLE ONLY shard_result
    ADD CONSTRAINT shard_result_job_id_shard_no_fkey FOREIGN KEY (job_id, shard_no) REFERENCES shard(job_id, shard_no);

ALTER TABLE ONLY withdrawn_result
    ADD CONSTRAINT withdrawn_result_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(job_id);
