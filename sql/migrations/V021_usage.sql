-- What is charged was checked before: where a result or a failed attempt is written, in the same transaction. To check it
-- again made up a fiftieth of a commit.
ALTER TABLE usage_queue
    DROP CONSTRAINT usage_queue_samples_check, DROP CONSTRAINT usage_queue_tokens_check,
    DROP CONSTRAINT usage_queue_seconds_check;
