-- Every job has its row from the beginning.
CREATE OR REPLACE FUNCTION begin_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_tally (job_id) VALUES (NEW.job_id);
    RETURN NULL;
END $$;
