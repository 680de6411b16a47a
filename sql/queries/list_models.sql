SELECT name, path, encode(sha256, 'hex') AS sha256, bytes, architecture, parameters, context_length, vocabulary_size,
    encode(tokenizer_sha256, 'hex') AS tokenizer_sha256, quantization, added_at
FROM model
WHERE $1::text IS NULL OR name = $1::text
ORDER BY name
