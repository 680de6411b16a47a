-- With $11 true the name means the new file from now on. No row when the name is taken.
INSERT INTO model (
    name, path, sha256, bytes, architecture, parameters, context_length, vocabulary_size, tokenizer_sha256,
    quantization)
VALUES ($1::text, $2::text, decode($3::text, 'hex'), $4::int8, $5::text, $6::int8, $7::int4, $8::int4,
    decode($9::text, 'hex'), $10::text)
ON CONFLICT (name) DO UPDATE SET path = excluded.path, sha256 = excluded.sha256, bytes = excluded.bytes,
    architecture = excluded.architecture, parameters = excluded.parameters, context_length = excluded.context_length,
    vocabulary_size = excluded.vocabulary_size, tokenizer_sha256 = excluded.tokenizer_sha256,
    quantization = excluded.quantization, added_at = excluded.added_at
WHERE $11::bool AND model.sha256 <> excluded.sha256
RETURNING name
