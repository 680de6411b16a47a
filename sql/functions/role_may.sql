-- Whether a role has an ability here, by itself or as a member of another role; the owner of the tables has all.
-- Called from functions that run with the owner's rights: there, current_user is the owner.
CREATE OR REPLACE FUNCTION role_may(p_role name, p_ability text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM pg_catalog.pg_roles r
        WHERE r.rolname = p_role AND (pg_catalog.pg_has_role(r.oid, current_user, 'MEMBER') OR EXISTS (
            SELECT 1 FROM grantee g JOIN pg_catalog.pg_roles h ON h.rolname = g.role_name
            WHERE g.ability = p_ability AND pg_catalog.pg_has_role(r.oid, h.oid, 'MEMBER'))))
$$;
