#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

// One row of logits, reduced. Written with the compilers' vector types, so that it is fast in unoptimised
// builds too, and without a call into libm, so that its rounding does not depend on the C library.

typedef float assay_floats __attribute__((vector_size(64), aligned(4)));
typedef int32_t assay_ints __attribute__((vector_size(64), aligned(4)));

enum { ASSAY_LANES = 16, ASSAY_BLOCK = 64 };

typedef struct {
    float maximum;
    /// The smallest index of the maximum; -1 if every value is NaN.
    int32_t argmax;
    /// The sum of exp(x - maximum); NaN if a value is NaN or positive infinity.
    double sum;
} assay_distribution;

#define ASSAY_SPLAT(value) ((assay_floats){0} + (float)(value))
#define ASSAY_SELECT(mask, a, b) ((assay_floats)(((mask) & (assay_ints)(a)) | (~(mask) & (assay_ints)(b))))

/// Adds exp(x - maximum) of one vector to `sum`; relative error below 3e-7.
#define ASSAY_ADD_EXP(sum, x, maximum)                                                             \
    do {                                                                                           \
        assay_floats d = (x) - (maximum);                                                          \
        d = ASSAY_SELECT(d < ASSAY_SPLAT(-87.0f), ASSAY_SPLAT(-87.0f), d);                         \
        /* exp(d) = 2^n exp(r), with n the nearest integer to d / ln 2; ln 2 in two parts. */      \
        assay_floats n = (d * ASSAY_SPLAT(1.44269504f) + ASSAY_SPLAT(12582912.0f));                \
        n -= ASSAY_SPLAT(12582912.0f);                                                             \
        assay_floats r = d - n * ASSAY_SPLAT(0.693359375f);                                        \
        r -= n * ASSAY_SPLAT(-2.12194440e-4f);                                                     \
        assay_floats p = r * ASSAY_SPLAT(1.0f / 5040) + ASSAY_SPLAT(1.0f / 720);                   \
        p = p * r + ASSAY_SPLAT(1.0f / 120);                                                       \
        p = p * r + ASSAY_SPLAT(1.0f / 24);                                                        \
        p = p * r + ASSAY_SPLAT(1.0f / 6);                                                         \
        p = p * r + ASSAY_SPLAT(0.5f);                                                             \
        p = p * r + ASSAY_SPLAT(1.0f);                                                             \
        p = p * r + ASSAY_SPLAT(1.0f);                                                             \
        assay_ints exponent = (__builtin_convertvector(n, assay_ints) + 127) << 23;                \
        (sum) += p * (assay_floats)exponent;                                                       \
    } while (0)

/// Reduces `count` logits.
static inline assay_distribution assay_reduce_logits(const float *logits, int32_t count) {
    const int32_t whole = count - count % ASSAY_LANES;
    assay_floats tail = ASSAY_SPLAT(-__builtin_inff());
    for (int32_t i = whole; i < count; i++) tail[i - whole] = logits[i];

    assay_floats maxima = tail;
    for (int32_t i = 0; i < whole; i += ASSAY_LANES) {
        assay_floats x = *(const assay_floats *)(logits + i);
        // A NaN among the maxima gives way to any number.
        maxima = ASSAY_SELECT((x > maxima) | (maxima != maxima), x, maxima);
    }
    float maximum = -__builtin_inff();
    for (int32_t i = 0; i < ASSAY_LANES; i++) maximum = maxima[i] > maximum ? maxima[i] : maximum;

    int32_t argmax = -1;
    for (int32_t i = 0; i < whole && argmax < 0; i += ASSAY_LANES) {
        assay_ints equal = *(const assay_floats *)(logits + i) == ASSAY_SPLAT(maximum);
        int32_t any = 0;
        for (int32_t lane = 0; lane < ASSAY_LANES; lane++) any |= equal[lane];
        for (int32_t lane = 0; any && argmax < 0; lane++) argmax = equal[lane] ? i + lane : -1;
    }
    for (int32_t i = whole; i < count && argmax < 0; i++) argmax = logits[i] == maximum ? i : -1;

    // Floats are added within blocks, blocks in double precision.
    double sum = 0;
    const assay_floats top = ASSAY_SPLAT(maximum);
    for (int32_t start = 0; start < whole; start += ASSAY_LANES * ASSAY_BLOCK) {
        const int32_t end = whole - start < ASSAY_LANES * ASSAY_BLOCK ? whole : start + ASSAY_LANES * ASSAY_BLOCK;
        assay_floats block = {0};
        for (int32_t i = start; i < end; i += ASSAY_LANES) {
            assay_floats x = *(const assay_floats *)(logits + i);
            ASSAY_ADD_EXP(block, x, top);
        }
        for (int32_t lane = 0; lane < ASSAY_LANES; lane++) sum += block[lane];
    }
    if (whole < count) {
        assay_floats last = {0};
        ASSAY_ADD_EXP(last, tail, top);
        for (int32_t i = whole; i < count; i++) sum += last[i - whole];
    }
    return (assay_distribution){.maximum = maximum, .argmax = argmax, .sum = sum};
}

typedef struct {
    const float *const *rows;
    assay_distribution *results;
    int32_t count, width, first, step;
} assay_reduction;

static inline void *assay_reduce_part(void *argument) {
    const assay_reduction *part = (const assay_reduction *)argument;
    for (int32_t i = part->first; i < part->count; i += part->step) {
        part->results[i] = assay_reduce_logits(part->rows[i], part->width);
    }
    return NULL;
}

/// Reduces `count` rows of `width` logits each, on up to `threads` threads. A GPU makes rows faster than one thread reads
/// them: each is as long as the vocabulary. How many threads there are changes nothing in the results.
static inline void assay_reduce_rows(
    const float *const *rows, assay_distribution *results, int32_t count, int32_t width, int32_t threads) {
    enum { MOST_THREADS = 64, LEAST_WORK = 1 << 19 };
    // A thread costs tens of microseconds to start: each gets ten times as much to do.
    const int64_t useful = (int64_t)count * width / LEAST_WORK + 1;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (threads > useful) threads = (int32_t)useful;
    if (threads > count) threads = count;
    pthread_t ids[MOST_THREADS];
    assay_reduction parts[MOST_THREADS];
    int32_t started = 0;
    for (int32_t i = 0; i < threads; i++) {
        parts[i] = (assay_reduction){rows, results, count, width, i, threads};
    }
    for (int32_t i = 1; i < threads; i++) {
        if (pthread_create(&ids[started], NULL, assay_reduce_part, &parts[i]) == 0) started++;
        else assay_reduce_part(&parts[i]);
    }
    if (threads > 0) assay_reduce_part(&parts[0]);
    for (int32_t i = 0; i < started; i++) pthread_join(ids[i], NULL);
}
