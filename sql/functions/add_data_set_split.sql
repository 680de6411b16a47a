-- Adds a split of a data set. With p_is_replacing it means the new rows from now on. Answers whether anything changed.
CREATE OR REPLACE FUNCTION add_data_set_split(
    p_name text, p_config text, p_split text, p_sha256 text, p_rows bigint, p_columns text[], p_source text, p_user text,
    p_is_replacing boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_split data_set_split;
BEGIN
    INSERT INTO data_set_split (name, config, split, sha256, row_count, columns, source, user_name)
    VALUES (
        p_name, p_config, p_split, decode(p_sha256, 'hex'), p_rows, p_columns, p_source, user_or_role(p_user))
    ON CONFLICT (name, config, split) DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    SELECT * INTO v_split FROM data_set_split d
    WHERE d.name = p_name AND d.config = p_config AND d.split = p_split FOR UPDATE;
    IF NOT p_is_replacing OR v_split.sha256 = decode(p_sha256, 'hex') THEN
        RETURN false;
    END IF;
    PERFORM check_owner(format('data set ''%s''', p_name), v_split.added_by);
    UPDATE data_set_split d SET sha256 = decode(p_sha256, 'hex'), row_count = p_rows, columns = p_columns,
        source = p_source, user_name = user_or_role(p_user), added_at = clock_timestamp(), added_by = session_user
    WHERE d.name = p_name AND d.config = p_config AND d.split = p_split;
    RETURN true;
END $$;
