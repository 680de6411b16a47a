SELECT encode(sha256, 'hex') AS sha256 FROM schema_functions
