SELECT to_regclass(quote_ident(current_schema()) || '.schema_migration') IS NOT NULL AS exists
