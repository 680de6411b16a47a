SELECT cancel_run($1::text) AS found
