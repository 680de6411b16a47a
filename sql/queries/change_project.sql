-- Null keeps what there is; $5, $6 and $8 say that a cap or the ceiling is to go.
SELECT change_project($1::text, $2::float8, $3::int4, $4::int4, $5::bool, $6::bool, $7::int4, $8::bool)
