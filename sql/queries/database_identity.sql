SELECT * FROM database_identity()
