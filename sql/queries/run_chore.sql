SELECT what, changed FROM run_chore($1::text, $2::bool)
