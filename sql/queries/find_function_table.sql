SELECT to_regclass(quote_ident(current_schema()) || '.schema_functions') IS NOT NULL AS exists
