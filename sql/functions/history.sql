-- What is history stays as it was written, and where it is.

CREATE OR REPLACE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never updated', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Only what a function moves elsewhere in this very transaction may go from where it was.
CREATE OR REPLACE FUNCTION refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM history_permit p WHERE p.txid = pg_current_xact_id()) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is never deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Lets this transaction delete history, until forbid_history_move(): for functions that write it elsewhere.
CREATE OR REPLACE FUNCTION permit_history_move() RETURNS void LANGUAGE sql AS $$
    INSERT INTO history_permit (txid) VALUES (pg_current_xact_id()) ON CONFLICT (txid) DO NOTHING
$$;

CREATE OR REPLACE FUNCTION forbid_history_move() RETURNS void LANGUAGE sql AS $$
    DELETE FROM history_permit p WHERE p.txid = pg_current_xact_id()
$$;
