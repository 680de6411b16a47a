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
