-- Asks a worker to finish what it holds and to leave; null when there is no living one of this number.
CREATE OR REPLACE FUNCTION drain_worker(p_worker bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_owner(format('worker %s', w.worker_id), w.registered_by) FROM worker w
    WHERE w.worker_id = p_worker AND w.state = 'live';
    UPDATE worker w SET is_draining = true WHERE w.worker_id = p_worker AND w.state = 'live';
    RETURN CASE WHEN FOUND THEN p_worker END;
END $$;
