// JobQueue tests
