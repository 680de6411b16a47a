-- Whether the schema has said which programs it works with.
SELECT to_regclass(quote_ident(current_schema()) || '.schema_contract') IS NOT NULL AS exists
