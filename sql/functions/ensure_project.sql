-- Makes the project unless there is one of this name, and answers its number. Each claim looks at every project, so no more
-- are made in passing than claims look at without noticing.
CREATE OR REPLACE FUNCTION ensure_project(p_name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    c_most_projects CONSTANT integer := 1000;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM project p WHERE p.name = p_name) THEN
        IF (SELECT count(*) FROM project) >= c_most_projects AND NOT role_may(session_user, 'operator') THEN
            RAISE EXCEPTION 'there is no project ''%'', and role ''%'' may not make one more than %', p_name, session_user,
                c_most_projects
                USING ERRCODE = 'EW003', HINT = format(
                    'submit to one of `assay project list`, or have an operator make it: assay project set %L --weight 1',
                    p_name);
        END IF;
        INSERT INTO project (name) VALUES (p_name) ON CONFLICT (name) DO NOTHING;
    END IF;
    RETURN (SELECT p.project_id FROM project p WHERE p.name = p_name);
END $$;
