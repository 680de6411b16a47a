-- The results of a job come from one engine, unless its submitter allows several.

-- Both tables before anything that takes time: with one of them this would not wait long for the other.
LOCK TABLE job IN ACCESS EXCLUSIVE MODE;
SET LOCAL lock_timeout = '200ms';
LOCK TABLE worker IN ACCESS EXCLUSIVE MODE;

-- What the worker's engine is, as far as no model decides it, and its mark; null for programs that do not say.
ALTER TABLE worker ADD COLUMN identity text CHECK (char_length(identity) BETWEEN 1 AND 20000), ADD COLUMN engine_mark bigint;

-- A hash over all that the job's samples depend on but the engine; null where nobody has said it. And the mark of the job's
-- engine, for claims, which look at many jobs; commits go by job_engine.
ALTER TABLE job ADD COLUMN work bytea CHECK (octet_length(work) = 32), ADD COLUMN engine_mark bigint;
CREATE INDEX job_of_work ON job (work, job_id) WHERE work IS NOT NULL;

-- The engine that a job's first result came from: the others must come from it, too. There is no row before that, unless the
-- job may have several. No foreign key: its check would lock the job's row, and a commit waits for nobody who is at it.
CREATE TABLE job_engine (
    job_id bigint PRIMARY KEY,
    engine text,
    is_mixed boolean NOT NULL DEFAULT false,
    CHECK (engine IS NOT NULL OR is_mixed)
);
