DELETE FROM data_set_split WHERE name = $1::text AND config = $2::text RETURNING split
