#pragma once

#include <stdint.h>

// What is computed from whole rows of logits. It is written with the compilers' vector types, without a call into libm, and
// without fused operations, so that a result has the same bits on every processor, whatever vectors it has.

typedef struct {
    float maximum;
    /// The smallest index of the maximum; -1 if every value is NaN.
    int32_t argmax;
    /// The sum of exp(x - maximum); NaN if a value is NaN or positive infinity.
    double sum;
} assay_distribution;

/// The instructions that a row is reduced with.
typedef enum {
    ASSAY_INSTRUCTIONS_BASE = 0,
    ASSAY_INSTRUCTIONS_AVX2 = 1,
    ASSAY_INSTRUCTIONS_AVX512 = 2,
} assay_instructions;

/// The most that this processor has.
assay_instructions assay_best_instructions(void);

/// Has this process use `instructions`, or fewer where the processor has not as many; for tests.
void assay_use_instructions(assay_instructions instructions);

/// Reduces `count` logits.
assay_distribution assay_reduce_logits(const float *logits, int32_t count);

/// Reduces `count` rows of `width` logits each, on up to `threads` threads. A GPU makes rows faster than one thread reads
/// them: each is as long as the vocabulary. How many threads there are changes nothing in the results.
///
/// `temperatures` has one for each row, 0 where its weight is not wanted; `weights` gets what assay_add_weights() answers.
/// Both may be null.
void assay_reduce_rows(
    const float *const *rows, assay_distribution *results, const double *temperatures, double *weights, int32_t count,
    int32_t width, int32_t threads);

/// The sum of exp((x - maximum) / temperature), to about 1e-6 of it.
double assay_add_weights(const float *logits, int32_t count, float maximum, double temperature);

/// The same to about 1e-15 of it, in several times the time.
double assay_sum_weights(const float *logits, int32_t count, float maximum, double temperature);

/// Writes the indices of the logits in `low..<high` to `found`, in order, and answers how many there are, which may be more
/// than the `capacity` of it.
int32_t assay_find_logits(
    const float *logits, int32_t count, float low, float high, int32_t *found, int32_t capacity);

/// Writes exp((logits[indices[i]] - maximum) / temperature) to `weights`, to about 4e-16 of it; 0 below exp(-708).
void assay_weigh_logits(
    const float *logits, const int32_t *indices, int32_t count, float maximum, double temperature, double *weights);
