-- The observed time, after counting what has passed since the last look. Only now and then somebody writes it down, and
-- nobody waits for that.
CREATE OR REPLACE FUNCTION observe_time() RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_clock queue_clock;
    v_passed double precision;
    v_shortest double precision;
BEGIN
    SELECT * INTO STRICT v_clock FROM queue_clock;
    v_passed := extract(epoch FROM v_now - v_clock.ticked_at)::double precision;
    IF v_passed >= 0 AND v_passed < v_clock.cap_seconds / 4 THEN
        RETURN v_clock.observed_seconds + v_passed;
    END IF;
    v_passed := least(greatest(v_passed, 0), v_clock.cap_seconds);
    PERFORM 1 FROM queue_clock FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        SELECT min(w.ttl_seconds) / 3 INTO v_shortest FROM worker w WHERE w.state = 'live';
        -- Somebody else may have come first.
        UPDATE queue_clock c SET observed_seconds = v_clock.observed_seconds + v_passed, ticked_at = v_now,
            cap_seconds = least(20, greatest(0.3, coalesce(v_shortest, 20)))
        WHERE c.ticked_at = v_clock.ticked_at;
    END IF;
    RETURN v_clock.observed_seconds + v_passed;
END $$;
