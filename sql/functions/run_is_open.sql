-- True while something of a run will still be worked on without anybody's help.
CREATE OR REPLACE FUNCTION run_is_open(p_run text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM job j JOIN job_counts c USING (job_id)
        WHERE j.run_id = p_run AND c.blocked + c.ready + c.running > 0)
$$;
