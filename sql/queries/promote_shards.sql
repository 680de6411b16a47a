SELECT promote_shards() AS promoted
