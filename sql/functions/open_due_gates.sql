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
