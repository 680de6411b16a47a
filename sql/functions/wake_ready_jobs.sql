-- The same for jobs of which only some have become claimable: the others stay switched off, or claims would have to find
-- out one by one. The jobs must be locked, and the shards ready.
CREATE OR REPLACE FUNCTION wake_ready_jobs(p_jobs bigint[]) RETURNS void LANGUAGE sql AS $$
    UPDATE job j SET is_runnable = true
    WHERE j.job_id = ANY (p_jobs) AND NOT j.is_runnable AND NOT j.is_cancelled AND j.gate = 'open'
        AND EXISTS (SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state = 'ready')
$$;
