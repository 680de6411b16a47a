CREATE TABLE IF NOT EXISTS schema_functions (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
