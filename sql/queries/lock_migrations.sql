-- One migrator at a time in each schema.
SELECT pg_advisory_xact_lock(hashtextextended('assay.migrations.' || current_schema(), 0))
