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
