-- A lease runs from its registration on, and is never shorter than three looks at the clock; one that is shorter than any
-- worker needs does not slow the time of all others.
CREATE OR REPLACE FUNCTION begin_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.seen_seconds := observe_time();
    UPDATE queue_clock c SET cap_seconds = greatest(0.3, NEW.ttl_seconds / 3)
    WHERE c.cap_seconds > greatest(0.3, NEW.ttl_seconds / 3);
    RETURN NEW;
END $$;
