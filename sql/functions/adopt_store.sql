-- Ties this database to a store. With p_only_first a store that the database belongs to already stays: several that
-- start at once on a new database come to the same one.
CREATE OR REPLACE FUNCTION adopt_store(p_store uuid, p_path text, p_user text, p_only_first boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE store_identity IN EXCLUSIVE MODE;
    IF p_only_first AND EXISTS (SELECT 1 FROM store_identity) THEN
        RETURN;
    END IF;
    INSERT INTO store_identity (store_uuid, system_identifier, database_oid, path, adopted_by)
    SELECT p_store, s.system_identifier, d.oid, p_path, p_user
    FROM pg_control_system() s JOIN pg_database d ON d.datname = current_database();
END $$;
