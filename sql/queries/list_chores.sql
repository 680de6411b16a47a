SELECT name, every_seconds, succeeded_at, seconds, failed_at, error FROM chore ORDER BY name
