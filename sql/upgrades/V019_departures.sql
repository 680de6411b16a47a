-- Rows of workers that have left are history as long as something refers to them, and litter if nothing ever did.

-- Workers that have claimed something. A table of its own: a claim waits for nobody who is at the worker's row.
CREATE TABLE worker_use (worker_id bigint PRIMARY KEY);
INSERT INTO worker_use SELECT worker_id FROM worker;

CREATE INDEX worker_ended ON worker (ended_at) WHERE state <> 'live';
-- Who removes a worker must prove that no attempt refers to it.
CREATE INDEX attempt_of_worker ON attempt (worker_id);

-- Its successor tells jobs by their names, too.
DROP FUNCTION IF EXISTS heartbeat(bigint, uuid, bigint[], integer[], integer[], integer[], bigint[], text);

INSERT INTO chore (name, every_seconds) VALUES ('departures', 3600);
