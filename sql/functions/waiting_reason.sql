-- What a waiting job still waits for, for people.
CREATE OR REPLACE FUNCTION waiting_reason(p_job bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce('waits for ' || string_agg(
        CASE WHEN n.needs_ordinal IS NULL THEN 'run ' || n.needs_run ELSE n.needs_run || '.' || n.needs_ordinal END, ', '
        ORDER BY n.needs_run, n.needs_ordinal NULLS FIRST), 'waits for other jobs')
    FROM job_need n WHERE n.job_id = p_job AND NOT n.is_settled
$$;
