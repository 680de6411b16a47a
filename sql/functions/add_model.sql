-- Adds a model. With p_is_replacing its name means the new file from now on. Answers whether anything changed.
CREATE OR REPLACE FUNCTION add_model(
    p_name text, p_path text, p_sha256 text, p_bytes bigint, p_architecture text, p_parameters bigint,
    p_context_length integer, p_vocabulary_size integer, p_tokenizer_sha256 text, p_quantization text,
    p_is_replacing boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_model model;
BEGIN
    INSERT INTO model (
        name, path, sha256, bytes, architecture, parameters, context_length, vocabulary_size, tokenizer_sha256,
        quantization)
    VALUES (
        p_name, p_path, decode(p_sha256, 'hex'), p_bytes, p_architecture, p_parameters, p_context_length,
        p_vocabulary_size, decode(p_tokenizer_sha256, 'hex'), p_quantization)
    ON CONFLICT (name) DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    SELECT * INTO v_model FROM model m WHERE m.name = p_name FOR UPDATE;
    -- The same file at another place is worth replacing, too.
    IF NOT p_is_replacing OR (v_model.sha256 = decode(p_sha256, 'hex') AND v_model.path = p_path) THEN
        RETURN false;
    END IF;
    PERFORM check_owner(format('model ''%s''', p_name), v_model.added_by);
    UPDATE model m SET path = p_path, sha256 = decode(p_sha256, 'hex'), bytes = p_bytes, architecture = p_architecture,
        parameters = p_parameters, context_length = p_context_length, vocabulary_size = p_vocabulary_size,
        tokenizer_sha256 = decode(p_tokenizer_sha256, 'hex'), quantization = p_quantization,
        added_at = clock_timestamp(), added_by = session_user
    WHERE m.name = p_name;
    RETURN true;
END $$;
