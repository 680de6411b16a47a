-- What keeps work back besides the queue itself: caps of projects, requirements, dependencies, and people.

ALTER TABLE project
    -- Above so many running shards a project gets only what nobody below theirs wants.
    ADD COLUMN soft_cap integer CHECK (soft_cap >= 0),
    -- So many of its shards may run at once, and no more.
    ADD COLUMN hard_cap integer CHECK (hard_cap >= 0);

ALTER TABLE worker ADD COLUMN device_kind text NOT NULL DEFAULT 'cpu' CHECK (device_kind ~ '^[a-z0-9]{1,20}$');
ALTER TABLE worker ALTER COLUMN device_kind DROP DEFAULT;

ALTER TABLE job
    -- A closed gate keeps every shard of the job from being claimed, whatever its state; what runs goes on.
    ADD COLUMN gate text NOT NULL DEFAULT 'open' CHECK (gate IN ('open', 'waiting', 'held')),
    ADD COLUMN gate_reason text,
    ADD COLUMN cancel_reason text,
    ADD COLUMN need_device text CHECK (need_device ~ '^[a-z0-9]{1,20}$'),
    -- More failed shards than this hold the job; null for no limit.
    ADD COLUMN max_failures integer CHECK (max_failures >= 0),
    ADD CONSTRAINT job_gate_reason CHECK ((gate = 'open') = (gate_reason IS NULL)),
    ADD CONSTRAINT job_cancel_reason CHECK (cancel_reason IS NULL OR is_cancelled),
    ADD CONSTRAINT job_gate_shut CHECK (gate = 'open' OR NOT is_runnable),
    ADD CONSTRAINT job_cancelled_is_open CHECK (gate = 'open' OR NOT is_cancelled);
CREATE INDEX job_waiting ON job (job_id) WHERE gate = 'waiting';

-- Claims look for the first job of each project, and for the first one with a certain model.
DROP INDEX job_runnable;
CREATE INDEX job_runnable ON job (project_id, tier DESC, job_id) WHERE is_runnable;
CREATE INDEX job_runnable_by_model ON job (project_id, model_sha256, tier DESC, job_id) WHERE is_runnable;

CREATE TABLE job_dependency (
    job_id bigint NOT NULL REFERENCES job,
    needs_job bigint NOT NULL REFERENCES job,
    -- 'ok': it must end with all of its results; 'any': it must end.
    condition text NOT NULL CHECK (condition IN ('ok', 'any')),
    PRIMARY KEY (job_id, needs_job),
    -- Jobs wait for older ones only, so that no two can wait for each other.
    CHECK (needs_job < job_id)
);

-- Says that a job has something to claim again, and keeps claims from denying it until this transaction ends.
-- Must come before the shards are made ready, or a claim that just found none could switch the job off for good.
CREATE OR REPLACE FUNCTION wake_jobs(p_jobs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM job j WHERE j.job_id = ANY (p_jobs) ORDER BY j.job_id FOR NO KEY UPDATE;
    UPDATE job j SET is_runnable = true
    WHERE j.job_id = ANY (p_jobs) AND NOT j.is_runnable AND NOT j.is_cancelled AND j.gate = 'open';
END $$;
