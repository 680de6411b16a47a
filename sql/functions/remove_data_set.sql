-- Forgets the name; the rows stay in the store. Answers how many splits it had.
CREATE OR REPLACE FUNCTION remove_data_set(p_name text, p_config text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM check_owner(format('data set ''%s''', p_name), d.added_by) FROM data_set_split d
    WHERE d.name = p_name AND d.config = p_config;
    DELETE FROM data_set_split d WHERE d.name = p_name AND d.config = p_config;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
