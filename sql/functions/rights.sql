-- Who may do what: the lists, and what puts them into force.

-- Every function of the queue, and the abilities that may call it: none for what only other functions call. Being listed
-- is what makes a function run with the owner's rights; a test compares this with what there is.
CREATE OR REPLACE FUNCTION function_rights() RETURNS TABLE (function_name name, abilities text[]) LANGUAGE sql IMMUTABLE AS $$
    VALUES
        -- Workers
        ('register_worker'::name, '{worker}'::text[]), ('deregister_worker', '{worker}'), ('heartbeat', '{worker}'),
        ('claim_shards', '{worker}'), ('commit_shards', '{worker}'), ('fail_shard', '{worker}'),
        ('release_shards', '{worker}'), ('begin_shards', '{worker}'), ('equal_results', '{worker}'),
        -- Chores
        ('reap', '{worker,operator}'), ('promote_shards', '{worker,operator}'), ('open_gates', '{worker,operator}'),
        ('archive_runs', '{worker,operator}'), ('due_chores', '{worker,operator}'), ('run_chore', '{worker,operator}'),
        ('note_chore_failure', '{worker,operator}'), ('cancel_abandoned_rescorings', '{worker,operator}'),
        -- Runs
        ('submit_run', '{submitter,operator}'), ('cancel_jobs', '{submitter,operator}'),
        ('hold_jobs', '{submitter,operator}'), ('release_jobs', '{submitter,operator}'),
        ('retry_jobs', '{submitter,operator}'), ('mix_engines', '{submitter,operator}'),
        ('set_tier', '{submitter,operator}'),
        ('withdraw_results', '{submitter,operator}'), ('restore_run', '{submitter,operator}'),
        -- Names
        ('add_model', '{submitter,operator}'), ('add_data_set_split', '{submitter,operator}'),
        ('remove_data_set', '{submitter,operator}'), ('change_project', '{operator}'),
        ('drain_worker', '{worker,operator}'),
        ('database_identity', '{reader}'), ('adopt_store', '{operator}'),
        -- Schedules
        ('add_schedule', '{submitter,operator}'), ('replace_schedule', '{submitter,operator}'),
        ('pause_schedule', '{submitter,operator}'), ('resume_schedule', '{submitter,operator}'),
        ('remove_schedule', '{submitter,operator}'), ('lock_schedule', '{submitter,operator}'),
        ('lock_due_schedule', '{worker,operator}'), ('advance_schedule', '{submitter,worker,operator}'),
        ('open_schedule_runs', '{submitter,worker,operator}'), ('record_schedule_fire', '{submitter,worker,operator}'),
        ('cancel_schedule_run', '{submitter,worker,operator}'), ('submit_schedule_run', '{submitter,worker,operator}'),
        -- Everybody who may do anything
        ('abilities', '{reader}'),
        -- Inside
        ('apply_rights', '{}'), ('begin_lease', '{}'), ('begin_tally', '{}'), ('cancel_work', '{}'),
        ('change_grant', '{}'), ('charge_usage', '{}'), ('check_incarnation', '{}'), ('check_needed_run', '{}'),
        ('check_owner', '{}'), ('check_run', '{}'), ('check_schedule', '{}'), ('check_schedule_maker', '{}'),
        ('check_tier', '{}'), ('engine_mark', '{}'), ('ensure_project', '{}'), ('forbid_history_move', '{}'), ('forget_workers', '{}'),
        ('function_rights', '{}'),
        ('give_back', '{}'), ('lock_jobs', '{}'), ('mend_jobs', '{}'), ('move_archived_shards', '{}'),
        ('note_changed_shards', '{}'), ('note_dependency', '{}'), ('note_needs', '{}'), ('note_new_shards', '{}'),
        ('note_use', '{}'),
        ('observe_time', '{}'), ('open_due_gates', '{}'), ('open_waiting_jobs', '{}'), ('permit_history_move', '{}'),
        ('reap_workers', '{}'), ('refresh_statistics', '{}'), ('refuse_delete', '{}'), ('refuse_update', '{}'),
        ('relation_rights', '{}'), ('result_is_sound', '{}'), ('role_may', '{}'), ('roll_up', '{}'), ('run_is_open', '{}'),
        ('shard_at', '{}'), ('shard_is_sound', '{}'), ('store_run', '{}'),
        ('sweep_cancelled_jobs', '{}'), ('take_turn', '{}'), ('tier_name', '{}'), ('unfix_engines', '{}'),
        ('user_or_role', '{}'), ('wait_again', '{}'),
        ('waiting_reason', '{}'), ('wake_jobs', '{}'), ('wake_ready_jobs', '{}')
$$;

-- The tables and views that every role with an ability may read; nobody but the owner may change any of them.
CREATE OR REPLACE FUNCTION relation_rights() RETURNS TABLE (relation_name name) LANGUAGE sql IMMUTABLE AS $$
    VALUES
        ('archived_attempt'::name), ('archived_result'), ('archived_shard'), ('attempt'), ('chore'),
        ('data_set_split'), ('every_attempt'), ('every_result'), ('every_shard'), ('grantee'), ('history_permit'),
        ('job'), ('job_counts'), ('job_counts_in_bulk'), ('job_dependency'), ('job_engine'), ('job_need'), ('job_spec'), ('job_tally'),
        ('model'), ('needed_run'), ('pace'), ('project'), ('project_turn'), ('queue_clock'), ('run'), ('schedule'), ('schedule_fire'),
        ('schedule_run'), ('schema_contract'), ('schema_functions'), ('schema_migration'), ('shard'), ('shard_result'),
        ('store_identity'), ('tally_change'), ('usage_queue'), ('withdrawn_result'), ('worker'),
        ('worker_use')
$$;

-- Whether a role has an ability here, by itself or as a member of another role; the owner of the tables has all.
-- Called from functions that run with the owner's rights: there, current_user is the owner.
CREATE OR REPLACE FUNCTION role_may(p_role name, p_ability text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM pg_catalog.pg_roles r
        WHERE r.rolname = p_role AND (pg_catalog.pg_has_role(r.oid, current_user, 'MEMBER') OR EXISTS (
            SELECT 1 FROM grantee g JOIN pg_catalog.pg_roles h ON h.rolname = g.role_name
            WHERE g.ability = p_ability AND pg_catalog.pg_has_role(r.oid, h.oid, 'MEMBER'))))
$$;

-- What the role that is connected may do here; 'owner' stands for everything.
CREATE OR REPLACE FUNCTION abilities() RETURNS TABLE (ability text, has boolean) LANGUAGE sql STABLE AS $$
    SELECT a.ability, CASE a.ability WHEN 'owner' THEN pg_catalog.pg_has_role(session_user, current_user, 'MEMBER')
        WHEN 'reader' THEN EXISTS (
            SELECT 1 FROM unnest('{reader,submitter,worker,operator}'::text[]) AS any_ability (name)
            WHERE role_may(session_user, any_ability.name))
        ELSE role_may(session_user, a.ability) END
    FROM unnest('{owner,operator,submitter,worker,reader}'::text[]) WITH ORDINALITY AS a (ability, place)
    ORDER BY a.place
$$;

-- Gives a role an ability, or takes it away again. Only the owner of the tables can; apply_rights() has to follow.
CREATE OR REPLACE FUNCTION change_grant(p_role text, p_ability text, p_is_granted boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_ability NOT IN ('reader', 'submitter', 'worker', 'operator') THEN
        RAISE EXCEPTION 'there is no ability ''%'': use reader, submitter, worker or operator', p_ability
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname = p_role) THEN
        -- A role that was dropped may have left its row here.
        DELETE FROM grantee g WHERE g.role_name = p_role::name AND NOT p_is_granted;
        IF FOUND THEN
            RETURN;
        ELSIF p_is_granted THEN
            RAISE EXCEPTION 'the server has no role ''%'': make it first, for example with CREATE ROLE % LOGIN', p_role,
                pg_catalog.quote_ident(p_role) USING ERRCODE = 'invalid_parameter_value';
        END IF;
        RAISE EXCEPTION 'the server has no role ''%'', and none of this name was granted anything: look at the spelling', p_role
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_is_granted THEN
        INSERT INTO grantee (role_name, ability) VALUES (p_role::name, p_ability) ON CONFLICT DO NOTHING;
        RETURN;
    END IF;
    DELETE FROM grantee g WHERE g.role_name = p_role::name AND g.ability = p_ability;
    IF NOT EXISTS (SELECT 1 FROM grantee g WHERE g.role_name = p_role::name) THEN
        EXECUTE (
            SELECT format('REVOKE ALL ON %s FROM %I', string_agg(c.oid::regclass::text, ', '), p_role)
            FROM pg_catalog.pg_class c JOIN relation_rights() r ON r.relation_name = c.relname
            WHERE c.relnamespace = pg_catalog.current_schema()::regnamespace AND c.relkind IN ('r', 'v'));
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', pg_catalog.current_schema(), p_role);
    END IF;
END $$;

-- Brings all privileges in this schema to what function_rights(), relation_rights() and the table grantee say. Called
-- after the functions were made again and after each change of grants; only the owner of the tables can.
--
-- Functions that somebody may call run with the owner's rights and see this schema only, temporary objects last, so that
-- nothing in the caller's session has a say in them. Everything else is for the owner alone. Other roles keep what they
-- were given by hand to read, and nothing else.
--
-- Nobody else may make anything in this schema: an operator that fits a type better than the built-in one would be used by
-- these functions, with the owner's rights. PostgreSQL before 15 lets everybody do it in the schema public.
CREATE OR REPLACE FUNCTION apply_rights() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_schema CONSTANT regnamespace := pg_catalog.current_schema()::regnamespace;
    v_relations text;
    v_functions text;
    v_changes text;
    v_role record;
BEGIN
    SELECT string_agg(c.oid::regclass::text, ', ') INTO v_relations
    FROM pg_catalog.pg_class c JOIN relation_rights() r ON r.relation_name = c.relname
    WHERE c.relnamespace = v_schema AND c.relkind IN ('r', 'v');
    SELECT string_agg(p.oid::regprocedure::text, ', ') INTO v_functions
    FROM pg_catalog.pg_proc p JOIN function_rights() f ON f.function_name = p.proname WHERE p.pronamespace = v_schema;
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_functions);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM PUBLIC', v_relations);
    FOR v_role IN
        SELECT DISTINCT r.rolname FROM (
            SELECT (aclexplode(c.relacl)).* FROM pg_catalog.pg_class c JOIN relation_rights() n ON n.relation_name = c.relname
            WHERE c.relnamespace = v_schema
            UNION ALL
            SELECT (aclexplode(a.attacl)).* FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN relation_rights() n ON n.relation_name = c.relname
            WHERE c.relnamespace = v_schema
            UNION ALL
            SELECT (aclexplode(p.proacl)).* FROM pg_catalog.pg_proc p
            JOIN function_rights() f ON f.function_name = p.proname WHERE p.pronamespace = v_schema) acl
        JOIN pg_catalog.pg_roles r ON r.oid = acl.grantee
        WHERE r.rolname <> current_user
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', v_functions, v_role.rolname);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM %I', v_relations,
            v_role.rolname);
    END LOOP;

    SELECT string_agg(format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %s, pg_temp', p.oid::regprocedure,
        v_schema), '; ') INTO v_changes
    FROM pg_catalog.pg_proc p JOIN function_rights() f ON f.function_name = p.proname
    WHERE p.pronamespace = v_schema AND f.abilities <> '{}';
    EXECUTE v_changes;
    EXECUTE format('REVOKE CREATE ON SCHEMA %s FROM PUBLIC', v_schema);
    FOR v_role IN
        SELECT g.role_name, array_agg(g.ability) || '{reader}'::text[] AS abilities
        FROM grantee g JOIN pg_catalog.pg_roles r ON r.rolname = g.role_name GROUP BY g.role_name
    LOOP
        IF has_schema_privilege(v_role.role_name, v_schema::oid, 'CREATE')
            AND NOT pg_has_role(v_role.role_name, current_user, 'USAGE')
        THEN
            RAISE EXCEPTION 'role ''%'' may create objects in the schema %, which would run with the rights of ''%'': as the owner of the schema or a superuser, REVOKE CREATE ON SCHEMA % FROM PUBLIC, %',
                v_role.role_name, v_schema, current_user, v_schema, quote_ident(v_role.role_name)
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', v_schema, v_role.role_name);
        EXECUTE format('GRANT SELECT ON %s TO %I', v_relations, v_role.role_name);
        SELECT string_agg(p.oid::regprocedure::text, ', ') INTO v_functions
        FROM pg_catalog.pg_proc p JOIN function_rights() f ON f.function_name = p.proname
        WHERE p.pronamespace = v_schema AND f.abilities && v_role.abilities;
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_functions, v_role.role_name);
    END LOOP;
END $$;

-- Refuses everybody but the submitter of the run and operators.
CREATE OR REPLACE FUNCTION check_run(p_run text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_run run;
BEGIN
    SELECT * INTO v_run FROM run r WHERE r.run_id = p_run;
    IF FOUND AND v_run.submitted_by IS DISTINCT FROM session_user AND NOT role_may(session_user, 'operator') THEN
        RAISE EXCEPTION 'run % is of %, and role ''%'' is no operator', p_run,
            coalesce(format('role ''%s''', v_run.submitted_by), v_run.user_name), session_user
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Refuses a role that speaks for a worker which another role registered: incarnations are no secrets, files are named by them.
CREATE OR REPLACE FUNCTION check_incarnation(p_incarnations uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_worker worker;
BEGIN
    SELECT * INTO v_worker FROM worker w
    WHERE w.incarnation = ANY (p_incarnations) AND w.registered_by IS DISTINCT FROM session_user LIMIT 1;
    IF FOUND AND NOT pg_catalog.pg_has_role(session_user, current_user, 'MEMBER') THEN
        RAISE EXCEPTION 'worker % is of role ''%'', not of ''%''', v_worker.worker_id, v_worker.registered_by, session_user
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
