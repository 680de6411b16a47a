SELECT change_grant($1::text, $2::text, $3::bool)
