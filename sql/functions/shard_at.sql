-- The number of the shard that has a row of a job, or of the last one for a row behind it. By halves: shards may differ in
-- size, and no index has their rows, since each claim and commit would have to write it.
CREATE OR REPLACE FUNCTION shard_at(p_job bigint, p_row integer) RETURNS integer LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_low integer := 0;
    v_high integer;
    v_middle integer;
BEGIN
    SELECT j.shard_count - 1 INTO v_high FROM job j WHERE j.job_id = p_job;
    WHILE v_low < v_high LOOP
        v_middle := v_low + (v_high - v_low + 1) / 2;
        IF (SELECT s.row_start FROM shard s WHERE s.job_id = p_job AND s.shard_no = v_middle) <= p_row THEN
            v_low := v_middle;
        ELSE
            v_high := v_middle - 1;
        END IF;
    END LOOP;
    RETURN v_low;
END $$;
