-- What stands for an engine where many are compared: the first bytes of its sha256. It is in rows for years, and servers may
-- change their own hashes.
CREATE OR REPLACE FUNCTION engine_mark(p_identity text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || left(encode(sha256(convert_to(p_identity, 'UTF8')), 'hex'), 16))::bit(64)::bigint
$$;
