-- Dependencies: a job waits for runs, or for single jobs of them, as rows of job_need. A run that somebody waits for is
-- looked at when one of its jobs has ended, once for all who wait for it.

-- What a waiting job still waits for, for people.
CREATE OR REPLACE FUNCTION waiting_reason(p_job bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce('waits for ' || string_agg(
        CASE WHEN n.needs_ordinal IS NULL THEN 'run ' || n.needs_run ELSE n.needs_run || '.' || n.needs_ordinal END, ', '
        ORDER BY n.needs_run, n.needs_ordinal NULLS FIRST), 'waits for other jobs')
    FROM job_need n WHERE n.job_id = p_job AND NOT n.is_settled
$$;

-- Notes which needs of a run are met, and cancels jobs that needed results which will not come. A job has ended when
-- nothing of it is open or held; it ended well when all of it is done. Answers how many needs and jobs it changed.
CREATE OR REPLACE FUNCTION check_needed_run(p_run text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c_cancelled CONSTANT integer := 1000;
    v_cancelled integer := 0;
    v_all_over boolean;
    v_all_well boolean;
    v_over integer[];
    v_bad integer[];
    v_met bigint[];
    v_job record;
    v_count bigint;
BEGIN
    SELECT bool_and(c.blocked + c.ready + c.running + c.held = 0), bool_and(c.failed + c.cancelled = 0),
        array_agg(j.ordinal) FILTER (WHERE c.blocked + c.ready + c.running + c.held = 0),
        array_agg(j.ordinal) FILTER (WHERE c.blocked + c.ready + c.running + c.held = 0 AND c.failed + c.cancelled > 0)
    INTO v_all_over, v_all_well, v_over, v_bad
    FROM job j JOIN job_counts c USING (job_id) WHERE j.run_id = p_run;
    v_over := coalesce(v_over, '{}');
    v_bad := coalesce(v_bad, '{}');
    WITH met AS (
        UPDATE job_need n SET is_settled = true
        WHERE n.needs_run = p_run AND NOT n.is_settled AND CASE
            WHEN n.needs_ordinal IS NULL THEN v_all_over AND (n.condition = 'any' OR v_all_well)
            ELSE n.needs_ordinal = ANY (v_over) AND (n.condition = 'any' OR n.needs_ordinal <> ALL (v_bad)) END
        RETURNING n.job_id)
    SELECT array_agg(DISTINCT m.job_id) INTO v_met FROM met m;
    v_count := coalesce(cardinality(v_met), 0);
    FOR v_job IN
        SELECT j.run_id, j.ordinal, string_agg(
            CASE WHEN n.needs_ordinal IS NULL THEN 'run ' || n.needs_run ELSE n.needs_run || '.' || n.needs_ordinal END,
            ', ' ORDER BY n.needs_ordinal NULLS FIRST) AS broken
        FROM job_need n JOIN job j USING (job_id)
        WHERE n.needs_run = p_run AND NOT n.is_settled AND n.condition = 'ok' AND j.gate = 'waiting' AND CASE
            WHEN n.needs_ordinal IS NULL THEN v_all_over AND NOT v_all_well
            ELSE n.needs_ordinal = ANY (v_bad) END
        GROUP BY j.job_id, j.run_id, j.ordinal ORDER BY j.job_id LIMIT c_cancelled
    LOOP
        -- Runs are locked before jobs; who has this one may be waiting for the job.
        PERFORM 1 FROM run r WHERE r.run_id = v_job.run_id FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        PERFORM cancel_work(v_job.run_id, v_job.ordinal, 'it needed the results of ' || v_job.broken
            || ', which did not end well', 0);
        v_cancelled := v_cancelled + 1;
    END LOOP;
    IF v_cancelled = c_cancelled THEN
        UPDATE needed_run r SET is_due = true WHERE r.run_id = p_run;
    END IF;
    UPDATE job j SET gate_reason = waiting_reason(j.job_id)
    WHERE j.gate = 'waiting' AND j.job_id IN (
        SELECT l.job_id FROM job l
        WHERE l.job_id = ANY (v_met) AND l.gate = 'waiting'
            AND EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = l.job_id AND NOT n.is_settled)
        ORDER BY l.job_id FOR NO KEY UPDATE OF l SKIP LOCKED);
    RETURN v_count + v_cancelled;
END $$;

-- Opens the gates of waiting jobs that need nothing more, p_limit at most; answers how many.
CREATE OR REPLACE FUNCTION open_waiting_jobs(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
    v_count integer;
BEGIN
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j
        WHERE j.gate = 'waiting' AND NOT EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id AND NOT n.is_settled)
        ORDER BY j.job_id LIMIT p_limit FOR NO KEY UPDATE OF j SKIP LOCKED) l;
    IF v_jobs IS NULL THEN
        RETURN 0;
    END IF;
    -- Somebody may have had them wait again before they were locked.
    UPDATE job j SET gate = 'open', gate_reason = NULL,
        is_runnable = EXISTS (SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state = 'ready')
    WHERE j.job_id = ANY (v_jobs) AND j.gate = 'waiting'
        AND NOT EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id AND NOT n.is_settled);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Looks at the runs that are due and opens what may be opened; a chain of broken dependencies is seen through. So many
-- runs, rounds and gates at a time: what is left is due next time.
CREATE OR REPLACE FUNCTION open_due_gates() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c_runs CONSTANT integer := 20;
    c_rounds CONSTANT integer := 30;
    c_gates CONSTANT integer := 2000;
    c_look CONSTANT interval := '1 minute';
    v_runs text[];
    v_run text;
    v_changed bigint;
    v_total bigint := 0;
BEGIN
    FOR v_round IN 1..c_rounds LOOP
        SELECT array_agg(l.run_id) INTO v_runs FROM (
            SELECT r.run_id FROM needed_run r
            WHERE r.is_due OR (v_round = 1 AND NOT r.checked_at BETWEEN clock_timestamp() - c_look AND clock_timestamp())
            ORDER BY r.checked_at LIMIT c_runs FOR UPDATE SKIP LOCKED) l;
        EXIT WHEN v_runs IS NULL;
        UPDATE needed_run r SET is_due = false, checked_at = clock_timestamp() WHERE r.run_id = ANY (v_runs);
        v_changed := 0;
        FOREACH v_run IN ARRAY v_runs LOOP
            v_changed := v_changed + check_needed_run(v_run);
        END LOOP;
        DELETE FROM needed_run r WHERE r.run_id = ANY (v_runs)
            AND NOT EXISTS (SELECT 1 FROM job_need n WHERE n.needs_run = r.run_id AND NOT n.is_settled);
        v_total := v_total + v_changed;
    END LOOP;
    RETURN v_total + open_waiting_jobs(c_gates);
END $$;

-- What submissions ask for at their end, as what their jobs wait for may have ended already.
CREATE OR REPLACE FUNCTION open_gates() RETURNS integer LANGUAGE sql AS 'SELECT open_due_gates()::integer';

-- True while something of a run will still be worked on without anybody's help.
CREATE OR REPLACE FUNCTION run_is_open(p_run text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM job j JOIN job_counts c USING (job_id)
        WHERE j.run_id = p_run AND c.blocked + c.ready + c.running > 0)
$$;

-- Has jobs wait again for what they need, if they need anything; they must be locked, and not be cancelled.
CREATE OR REPLACE FUNCTION wait_again(p_jobs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE job_need n SET is_settled = false WHERE n.job_id = ANY (p_jobs) AND n.is_settled;
    INSERT INTO needed_run AS r (run_id)
    SELECT DISTINCT n.needs_run FROM job_need n WHERE n.job_id = ANY (p_jobs) ORDER BY 1
    ON CONFLICT (run_id) DO UPDATE SET is_due = true;
    UPDATE job j SET gate = 'waiting', gate_reason = waiting_reason(j.job_id), is_runnable = false
    WHERE j.job_id = ANY (p_jobs) AND EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id);
    UPDATE job j SET gate = 'open', gate_reason = NULL
    WHERE j.job_id = ANY (p_jobs) AND NOT EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id);
END $$;

-- A dependency as the release before writes it, one row a job of the run.
CREATE OR REPLACE FUNCTION note_dependency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_need (job_id, needs_run, needs_ordinal, condition)
    SELECT NEW.job_id, n.run_id, n.ordinal, NEW.condition FROM job n WHERE n.job_id = NEW.needs_job
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER dependency_noted AFTER INSERT ON job_dependency
    FOR EACH ROW EXECUTE FUNCTION note_dependency();

-- A run that somebody begins to wait for is looked at, and people see what it is.
CREATE OR REPLACE FUNCTION note_needs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO needed_run AS r (run_id) SELECT DISTINCT n.needs_run FROM new_rows n ORDER BY 1
    ON CONFLICT (run_id) DO UPDATE SET is_due = true WHERE NOT r.is_due;
    UPDATE job j SET gate_reason = waiting_reason(j.job_id)
    WHERE j.gate = 'waiting' AND j.job_id IN (SELECT n.job_id FROM new_rows n);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER needs_noted AFTER INSERT ON job_need REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_needs();
