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
