-- A run that somebody begins to wait for is looked at, and people see what it is.
CREATE OR REPLACE FUNCTION note_needs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO needed_run AS r (run_id) SELECT DISTINCT n.needs_run FROM new_rows n ORDER BY 1
    ON CONFLICT (run_id) DO UPDATE SET is_due = true WHERE NOT r.is_due;
    UPDATE job j SET gate_reason = waiting_reason(j.job_id)
    WHERE j.gate = 'waiting' AND j.job_id IN (SELECT n.job_id FROM new_rows n);
    RETURN NULL;
END $$;
