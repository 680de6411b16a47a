-- Claims of one project with a cap come one after the other. The lock for that is a row which only claims take, so that
-- nobody who may merely read stops them, as with a lock that has a number.
CREATE TABLE project_turn (project_id integer PRIMARY KEY);

-- Its successor leaves out models, too. No release had it.
DROP FUNCTION IF EXISTS claim_shards(bigint, uuid, integer, text, integer, boolean, bigint[]);
