-- The same for people, who must be allowed to.
-- p_ordinal null: all jobs of the run. Answers how many shards or jobs it changed; null when there is no such run or job.
CREATE OR REPLACE FUNCTION cancel_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_run(p_run);
    RETURN cancel_work(p_run, p_ordinal, p_reason, 20000);
END $$;
