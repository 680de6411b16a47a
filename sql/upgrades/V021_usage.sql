-- What is charged was checked before: where a result or a failed attempt is written, in the same transaction. To check all of
-- it again made up a fiftieth of a commit. What is no number would spoil every sum, and is refused here, too.
ALTER TABLE usage_queue
    DROP CONSTRAINT usage_queue_samples_check, DROP CONSTRAINT usage_queue_tokens_check,
    DROP CONSTRAINT usage_queue_seconds_check, ADD CONSTRAINT usage_queue_is_a_number CHECK (seconds < 'infinity');
