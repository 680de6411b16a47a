#include "logits.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

// A fused multiplication rounds once where two operations round twice.
#pragma STDC FP_CONTRACT OFF

typedef float floats __attribute__((vector_size(64), aligned(4)));
typedef int32_t ints __attribute__((vector_size(64), aligned(4)));
typedef double doubles __attribute__((vector_size(64), aligned(8)));
typedef int64_t longs __attribute__((vector_size(64), aligned(8)));
typedef float half_floats __attribute__((vector_size(32), aligned(4)));

enum { LANES = 16, HALF = 8, BLOCK = 64 };

// Each of these is compiled once for each set of instructions, as a part of the function that calls it.
#define PART static inline __attribute__((always_inline))

#define SPLAT(value) ((floats){0} + (float)(value))
#define SELECT(mask, a, b) ((floats)(((mask) & (ints)(a)) | (~(mask) & (ints)(b))))
#define SPLAT_DOUBLE(value) ((doubles){0} + (double)(value))
#define SELECT_DOUBLE(mask, a, b) ((doubles)(((mask) & (longs)(a)) | (~(mask) & (longs)(b))))

/// Adds exp((x - maximum) * scale) of one vector to `sum`; relative error below 3e-7 for a scale of 1.
#define ADD_EXP(sum, x, maximum, scale)                                                            \
    do {                                                                                           \
        floats d = ((x) - (maximum)) * (scale);                                                    \
        d = SELECT(d < SPLAT(-87.0f), SPLAT(-87.0f), d);                                           \
        /* exp(d) = 2^n exp(r), with n the nearest integer to d / ln 2; ln 2 in two parts. */      \
        floats n = (d * SPLAT(1.44269504f) + SPLAT(12582912.0f));                                  \
        n -= SPLAT(12582912.0f);                                                                   \
        floats r = d - n * SPLAT(0.693359375f);                                                    \
        r -= n * SPLAT(-2.12194440e-4f);                                                           \
        floats p = r * SPLAT(1.0f / 5040) + SPLAT(1.0f / 720);                                     \
        p = p * r + SPLAT(1.0f / 120);                                                             \
        p = p * r + SPLAT(1.0f / 24);                                                              \
        p = p * r + SPLAT(1.0f / 6);                                                               \
        p = p * r + SPLAT(0.5f);                                                                   \
        p = p * r + SPLAT(1.0f);                                                                   \
        p = p * r + SPLAT(1.0f);                                                                   \
        ints exponent = (__builtin_convertvector(n, ints) + 127) << 23;                            \
        (sum) += p * (floats)exponent;                                                             \
    } while (0)

/// The sum of exp((x - maximum) * scale). Floats are added within blocks, blocks in double precision.
PART double added(const float *logits, int32_t count, float maximum, float scale) {
    const int32_t whole = count - count % LANES;
    double sum = 0;
    const floats top = SPLAT(maximum), factor = SPLAT(scale);
    for (int32_t start = 0; start < whole; start += LANES * BLOCK) {
        const int32_t end = whole - start < LANES * BLOCK ? whole : start + LANES * BLOCK;
        floats block = {0};
        for (int32_t i = start; i < end; i += LANES) {
            floats x = *(const floats *)(logits + i);
            ADD_EXP(block, x, top, factor);
        }
        for (int32_t lane = 0; lane < LANES; lane++) sum += block[lane];
    }
    if (whole < count) {
        floats tail = SPLAT(-__builtin_inff()), last = {0};
        for (int32_t i = whole; i < count; i++) tail[i - whole] = logits[i];
        ADD_EXP(last, tail, top, factor);
        for (int32_t i = whole; i < count; i++) sum += last[i - whole];
    }
    return sum;
}

PART assay_distribution reduced(const float *logits, int32_t count) {
    const int32_t whole = count - count % LANES;
    floats tail = SPLAT(-__builtin_inff());
    for (int32_t i = whole; i < count; i++) tail[i - whole] = logits[i];

    floats maxima = tail;
    for (int32_t i = 0; i < whole; i += LANES) {
        floats x = *(const floats *)(logits + i);
        // A NaN among the maxima gives way to any number.
        maxima = SELECT((x > maxima) | (maxima != maxima), x, maxima);
    }
    float maximum = -__builtin_inff();
    for (int32_t i = 0; i < LANES; i++) maximum = maxima[i] > maximum ? maxima[i] : maximum;

    int32_t argmax = -1;
    for (int32_t i = 0; i < whole && argmax < 0; i += LANES) {
        ints equal = *(const floats *)(logits + i) == SPLAT(maximum);
        int32_t any = 0;
        for (int32_t lane = 0; lane < LANES; lane++) any |= equal[lane];
        for (int32_t lane = 0; any && argmax < 0; lane++) argmax = equal[lane] ? i + lane : -1;
    }
    for (int32_t i = whole; i < count && argmax < 0; i++) argmax = logits[i] == maximum ? i : -1;

    return (assay_distribution){
        .maximum = maximum, .argmax = argmax, .sum = added(logits, count, maximum, 1)};
}

/// Sets `result` to exp((x - maximum) / temperature); relative error below 4e-16, 0 below exp(-708).
#define EXP_DOUBLE(result, x, maximum, temperature)                                                \
    do {                                                                                           \
        doubles d = ((x) - (maximum)) / (temperature);                                             \
        longs isTiny = d < SPLAT_DOUBLE(-708.0);                                                   \
        d = SELECT_DOUBLE(isTiny, SPLAT_DOUBLE(0.0), d);                                           \
        doubles shifted = d * SPLAT_DOUBLE(0x1.71547652b82fep0) + SPLAT_DOUBLE(0x1.8p52);          \
        doubles n = shifted - SPLAT_DOUBLE(0x1.8p52);                                              \
        doubles r = d - n * SPLAT_DOUBLE(0x1.62e42feep-1);                                         \
        r -= n * SPLAT_DOUBLE(0x1.a39ef35793c76p-33);                                              \
        doubles p = r * SPLAT_DOUBLE(1.0 / 6227020800) + SPLAT_DOUBLE(1.0 / 479001600);            \
        p = p * r + SPLAT_DOUBLE(1.0 / 39916800);                                                  \
        p = p * r + SPLAT_DOUBLE(1.0 / 3628800);                                                   \
        p = p * r + SPLAT_DOUBLE(1.0 / 362880);                                                    \
        p = p * r + SPLAT_DOUBLE(1.0 / 40320);                                                     \
        p = p * r + SPLAT_DOUBLE(1.0 / 5040);                                                      \
        p = p * r + SPLAT_DOUBLE(1.0 / 720);                                                       \
        p = p * r + SPLAT_DOUBLE(1.0 / 120);                                                       \
        p = p * r + SPLAT_DOUBLE(1.0 / 24);                                                        \
        p = p * r + SPLAT_DOUBLE(1.0 / 6);                                                         \
        p = p * r + SPLAT_DOUBLE(0.5);                                                             \
        p = p * r + SPLAT_DOUBLE(1.0);                                                             \
        p = p * r + SPLAT_DOUBLE(1.0);                                                             \
        /* The low bits of `shifted` are n. */                                                     \
        longs exponent = ((longs)shifted + 1023) << 52;                                            \
        p = p * (doubles)exponent;                                                                 \
        (result) = SELECT_DOUBLE(isTiny, SPLAT_DOUBLE(0.0), p);                                    \
    } while (0)

PART double summed(const float *logits, int32_t count, float maximum, double temperature) {
    const int32_t whole = count - count % HALF;
    const doubles top = SPLAT_DOUBLE(maximum), scale = SPLAT_DOUBLE(temperature);
    doubles sum = {0}, part;
    for (int32_t i = 0; i < whole; i += HALF) {
        doubles x = __builtin_convertvector(*(const half_floats *)(logits + i), doubles);
        EXP_DOUBLE(part, x, top, scale);
        sum += part;
    }
    if (whole < count) {
        doubles x = SPLAT_DOUBLE(-__builtin_inf());
        for (int32_t i = whole; i < count; i++) x[i - whole] = logits[i];
        EXP_DOUBLE(part, x, top, scale);
        sum += part;
    }
    double total = 0;
    for (int32_t lane = 0; lane < HALF; lane++) total += sum[lane];
    return total;
}

PART void weighed(
    const float *logits, const int32_t *indices, int32_t count, float maximum, double temperature, double *weights) {
    const doubles top = SPLAT_DOUBLE(maximum), scale = SPLAT_DOUBLE(temperature);
    for (int32_t i = 0; i < count; i += HALF) {
        const int32_t lanes = count - i < HALF ? count - i : HALF;
        doubles x = top, part;
        for (int32_t lane = 0; lane < lanes; lane++) x[lane] = logits[indices[i + lane]];
        EXP_DOUBLE(part, x, top, scale);
        for (int32_t lane = 0; lane < lanes; lane++) weights[i + lane] = part[lane];
    }
}

PART int32_t found(
    const float *logits, int32_t count, float low, float high, int32_t *indices, int32_t capacity) {
    const int32_t whole = count - count % LANES;
    int32_t hits = 0;
    for (int32_t i = 0; i < whole; i += LANES) {
        floats x = *(const floats *)(logits + i);
        ints isHit = (x >= SPLAT(low)) & (x < SPLAT(high));
        int32_t any = 0;
        for (int32_t lane = 0; lane < LANES; lane++) any |= isHit[lane];
        if (!any) continue;
        for (int32_t lane = 0; lane < LANES; lane++) {
            if (!isHit[lane]) continue;
            if (hits < capacity) indices[hits] = i + lane;
            hits++;
        }
    }
    for (int32_t i = whole; i < count; i++) {
        if (!(logits[i] >= low && logits[i] < high)) continue;
        if (hits < capacity) indices[hits] = i;
        hits++;
    }
    return hits;
}

#define VARIANT(name, attributes)                                                                  \
    attributes static assay_distribution reduced_##name(const float *logits, int32_t count) {      \
        return reduced(logits, count);                                                             \
    }                                                                                              \
    attributes static double summed_##name(                                                        \
        const float *logits, int32_t count, float maximum, double temperature) {                   \
        return summed(logits, count, maximum, temperature);                                        \
    }                                                                                              \
    attributes static double added_##name(                                                         \
        const float *logits, int32_t count, float maximum, float scale) {                          \
        return added(logits, count, maximum, scale);                                               \
    }                                                                                              \
    attributes static void weighed_##name(                                                         \
        const float *logits, const int32_t *indices, int32_t count, float maximum,                 \
        double temperature, double *weights) {                                                     \
        weighed(logits, indices, count, maximum, temperature, weights);                            \
    }                                                                                              \
    attributes static int32_t found_##name(                                                        \
        const float *logits, int32_t count, float low, float high, int32_t *indices,               \
        int32_t capacity) {                                                                        \
        return found(logits, count, low, high, indices, capacity);                                 \
    }

typedef struct {
    assay_distribution (*reduce)(const float *, int32_t);
    double (*sum)(const float *, int32_t, float, double);
    double (*add)(const float *, int32_t, float, float);
    void (*weigh)(const float *, const int32_t *, int32_t, float, double, double *);
    int32_t (*find)(const float *, int32_t, float, float, int32_t *, int32_t);
} functions;

VARIANT(base, )
#if defined(__x86_64__)
VARIANT(avx2, __attribute__((target("avx2"))))
VARIANT(avx512, __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))))
static const functions variants[] = {
    {reduced_base, summed_base, added_base, weighed_base, found_base},
    {reduced_avx2, summed_avx2, added_avx2, weighed_avx2, found_avx2},
    {reduced_avx512, summed_avx512, added_avx512, weighed_avx512, found_avx512},
};

assay_instructions assay_best_instructions(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) return ASSAY_INSTRUCTIONS_BASE;
    const int hasAll = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
    return hasAll ? ASSAY_INSTRUCTIONS_AVX512 : ASSAY_INSTRUCTIONS_AVX2;
}
#else
static const functions variants[] = {{reduced_base, summed_base, added_base, weighed_base, found_base}};

assay_instructions assay_best_instructions(void) { return ASSAY_INSTRUCTIONS_BASE; }
#endif

/// One more than the instructions in use; 0 until somebody asks.
static _Atomic int chosen;

void assay_use_instructions(assay_instructions instructions) {
    const assay_instructions best = assay_best_instructions();
    atomic_store_explicit(&chosen, 1 + (int)(instructions < best ? instructions : best), memory_order_relaxed);
}

static const functions *in_use(void) {
    int choice = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (choice == 0) {
        choice = 1 + (int)assay_best_instructions();
        atomic_store_explicit(&chosen, choice, memory_order_relaxed);
    }
    return &variants[choice - 1];
}

assay_distribution assay_reduce_logits(const float *logits, int32_t count) { return in_use()->reduce(logits, count); }

double assay_add_weights(const float *logits, int32_t count, float maximum, double temperature) {
    return in_use()->add(logits, count, maximum, (float)(1 / temperature));
}

double assay_sum_weights(const float *logits, int32_t count, float maximum, double temperature) {
    return in_use()->sum(logits, count, maximum, temperature);
}

int32_t assay_find_logits(
    const float *logits, int32_t count, float low, float high, int32_t *indices, int32_t capacity) {
    return in_use()->find(logits, count, low, high, indices, capacity);
}

void assay_weigh_logits(
    const float *logits, const int32_t *indices, int32_t count, float maximum, double temperature, double *weights) {
    in_use()->weigh(logits, indices, count, maximum, temperature, weights);
}

typedef struct {
    const float *const *rows;
    assay_distribution *results;
    const double *temperatures;
    double *weights;
    int32_t count, width, first, step;
} reduction;

static void *reduce_part(void *argument) {
    const reduction *part = (const reduction *)argument;
    for (int32_t i = part->first; i < part->count; i += part->step) {
        part->results[i] = assay_reduce_logits(part->rows[i], part->width);
        if (part->temperatures == NULL || part->temperatures[i] == 0) continue;
        part->weights[i] = assay_add_weights(
            part->rows[i], part->width, part->results[i].maximum, part->temperatures[i]);
    }
    return NULL;
}

void assay_reduce_rows(
    const float *const *rows, assay_distribution *results, const double *temperatures, double *weights, int32_t count,
    int32_t width, int32_t threads) {
    enum { MOST_THREADS = 64, LEAST_WORK = 1 << 19 };
    // A thread costs tens of microseconds to start: each gets ten times as much to do.
    const int64_t useful = (int64_t)count * width / LEAST_WORK + 1;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (threads > useful) threads = (int32_t)useful;
    if (threads > count) threads = count;
    pthread_t ids[MOST_THREADS];
    reduction parts[MOST_THREADS];
    int32_t started = 0;
    for (int32_t i = 0; i < threads; i++) {
        parts[i] = (reduction){rows, results, temperatures, weights, count, width, i, threads};
    }
    for (int32_t i = 1; i < threads; i++) {
        if (pthread_create(&ids[started], NULL, reduce_part, &parts[i]) == 0) started++;
        else reduce_part(&parts[i]);
    }
    if (threads > 0) reduce_part(&parts[0]);
    for (int32_t i = 0; i < started; i++) pthread_join(ids[i], NULL);
}
