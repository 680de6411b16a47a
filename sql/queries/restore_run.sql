SELECT restore_run($1::text) AS restored
