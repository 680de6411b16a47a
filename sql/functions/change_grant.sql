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
