-- Null keeps what there is; $5 and $6 say that a cap is to go.
UPDATE project SET weight = coalesce($2::float8, weight),
    soft_cap = CASE WHEN $5::bool THEN NULL ELSE coalesce($3::int4, soft_cap) END,
    hard_cap = CASE WHEN $6::bool THEN NULL ELSE coalesce($4::int4, hard_cap) END
WHERE name = $1::text
