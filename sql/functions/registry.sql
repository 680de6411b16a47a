-- What is registered by name: projects, models, data sets; and workers.

-- What is written down as the user: who is connected. On the owner's connections, which everybody of one account shares,
-- what the program says.
CREATE OR REPLACE FUNCTION user_or_role(p_user text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN pg_catalog.pg_has_role(session_user, current_user, 'MEMBER') THEN p_user ELSE session_user::text END
$$;

-- Refuses everybody but the maker of something and operators.
CREATE OR REPLACE FUNCTION check_owner(p_what text, p_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_role IS DISTINCT FROM session_user AND NOT role_may(session_user, 'operator') THEN
        RAISE EXCEPTION '% is of role ''%'', and role ''%'' is no operator', p_what, coalesce(p_role, '(unknown)'),
            session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Null keeps what there is; the flags say that a cap, or the ceiling, is to go. The project is made when it is new.
CREATE OR REPLACE FUNCTION change_project(
    p_name text, p_weight double precision, p_soft_cap integer, p_hard_cap integer, p_no_soft_cap boolean,
    p_no_hard_cap boolean, p_max_tier integer, p_no_max_tier boolean
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_project integer := ensure_project(p_name);
BEGIN
    UPDATE project p SET weight = coalesce(p_weight, p.weight),
        soft_cap = CASE WHEN p_no_soft_cap THEN NULL ELSE coalesce(p_soft_cap, p.soft_cap) END,
        hard_cap = CASE WHEN p_no_hard_cap THEN NULL ELSE coalesce(p_hard_cap, p.hard_cap) END,
        max_tier = CASE WHEN p_no_max_tier THEN NULL ELSE coalesce(p_max_tier, p.max_tier) END
    WHERE p.project_id = v_project;
END $$;

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

-- A new worker with its lease, and its number. p_identity says what its engine is; null where it does not.
CREATE OR REPLACE FUNCTION register_worker(
    p_incarnation uuid, p_host text, p_pid integer, p_device text, p_device_kind text, p_labels text[], p_gpu_mb integer,
    p_engine text, p_warm text[], p_ttl_seconds double precision, p_schema_version integer, p_identity text
) RETURNS bigint LANGUAGE sql AS $$
    WITH registered AS (
        INSERT INTO worker (
            incarnation, host, pid, device, device_kind, labels, gpu_mb, engine, warm, ttl_seconds, lease_until,
            schema_version, identity, engine_mark)
        VALUES (
            p_incarnation, p_host, p_pid, p_device, p_device_kind, p_labels, p_gpu_mb, p_engine,
            ARRAY(SELECT decode(w.sha256, 'hex') FROM unnest(p_warm) AS w (sha256)), p_ttl_seconds,
            clock_timestamp() + make_interval(secs => p_ttl_seconds), p_schema_version, p_identity,
            engine_mark(p_identity))
        RETURNING worker_id, warm),
    noted AS (INSERT INTO worker_use SELECT r.worker_id FROM registered r WHERE r.warm <> '{}')
    SELECT r.worker_id FROM registered r
$$;

-- For workers that do not say what their engine is.
CREATE OR REPLACE FUNCTION register_worker(
    p_incarnation uuid, p_host text, p_pid integer, p_device text, p_device_kind text, p_labels text[], p_gpu_mb integer,
    p_engine text, p_warm text[], p_ttl_seconds double precision, p_schema_version integer
) RETURNS bigint LANGUAGE sql AS $$
    SELECT register_worker(
        p_incarnation, p_host, p_pid, p_device, p_device_kind, p_labels, p_gpu_mb, p_engine, p_warm, p_ttl_seconds,
        p_schema_version, NULL)
$$;

-- Asks a worker to finish what it holds and to leave; null when there is no living one of this number.
CREATE OR REPLACE FUNCTION drain_worker(p_worker bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_owner(format('worker %s', w.worker_id), w.registered_by) FROM worker w
    WHERE w.worker_id = p_worker AND w.state = 'live';
    UPDATE worker w SET is_draining = true WHERE w.worker_id = p_worker AND w.state = 'live';
    RETURN CASE WHEN FOUND THEN p_worker END;
END $$;
