SELECT specification FROM run WHERE run_id = $1::text
