-- Opens the gate, or leaves it to the dependencies that are still to come, and makes held shards ready.
-- p_ordinal null: all jobs of the run. Answers how many shards or jobs it changed; null when there is no such run or job.
CREATE OR REPLACE FUNCTION release_jobs(p_run text, p_ordinal integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_held bigint[];
    v_shards bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(j.job_id) INTO v_held FROM job j WHERE j.job_id = ANY (v_jobs) AND j.gate = 'held';
    UPDATE shard s SET state = 'ready', reason = NULL, ended_at = NULL, losses = 0
    FROM job j
    WHERE j.job_id = s.job_id AND s.job_id = ANY (v_jobs) AND s.state = 'held' AND NOT j.is_cancelled;
    GET DIAGNOSTICS v_shards = ROW_COUNT;
    PERFORM wait_again(v_held);
    PERFORM open_due_gates();
    PERFORM wake_ready_jobs(v_jobs);
    RETURN coalesce(cardinality(v_held), 0) + v_shards;
END $$;
