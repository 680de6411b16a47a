SELECT remove_data_set($1::text, $2::text) AS splits
