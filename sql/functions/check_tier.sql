-- Refuses a tier above what the project allows. Without a ceiling of its own that is high, and anything for operators.
-- p_role null: what was made before roles were written down, when everybody could do everything.
CREATE OR REPLACE FUNCTION check_tier(p_project integer, p_tier integer, p_role name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_project project;
    v_ceiling integer;
BEGIN
    SELECT * INTO v_project FROM project p WHERE p.project_id = p_project;
    v_ceiling := coalesce(v_project.max_tier,
        CASE WHEN p_tier <= 2 OR p_role IS NULL OR role_may(p_role, 'operator') THEN 3 ELSE 2 END);
    IF p_tier > v_ceiling THEN
        RAISE EXCEPTION 'project ''%'' allows no priority above %', v_project.name, tier_name(v_ceiling)
            USING ERRCODE = 'EW003', HINT = format(
                'submit with %s, or have an operator raise it: assay project set %s --max-tier %s',
                tier_name(v_ceiling), v_project.name, tier_name(p_tier));
    END IF;
END $$;
