SELECT count(*) AS open FROM shard WHERE state IN ('blocked', 'ready', 'running')
