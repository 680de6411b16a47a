CREATE OR REPLACE FUNCTION tier_name(p_tier integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT (ARRAY['low', 'normal', 'high', 'urgent'])[p_tier + 1]
$$;
