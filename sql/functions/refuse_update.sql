-- What is history stays as it was written, and where it is.
CREATE OR REPLACE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never updated', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
