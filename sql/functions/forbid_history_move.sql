CREATE OR REPLACE FUNCTION forbid_history_move() RETURNS void LANGUAGE sql AS $$
    DELETE FROM history_permit p WHERE p.txid = pg_current_xact_id()
$$;
