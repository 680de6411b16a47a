SELECT cancel_abandoned_rescorings($1::int4) AS cancelled
