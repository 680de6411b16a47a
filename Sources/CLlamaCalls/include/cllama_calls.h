#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// llama.cpp's calls that throw, or that need more stack than their thread may have. An exception that left one of them
// for Swift would end the process; here it becomes a text.
//
// Pointers to llama.cpp's own types are passed as void *, so that this header needs none of its headers.

#ifdef __cplusplus
extern "C" {
#endif

enum { CLLAMA_FAILURE_BYTES = 512 };

/// What went wrong, ended by a zero byte; empty if nothing did.
typedef struct {
    char text[CLLAMA_FAILURE_BYTES];
} cllama_failure;

/// A llama_model *, null on failure; `parameters` is a llama_model_params.
void *cllama_load(const char *path, const void *parameters, cllama_failure *failure);

/// A llama_context *, null on failure; `parameters` is a llama_context_params.
void *cllama_context(void *model, const void *parameters, cllama_failure *failure);

/// What llama_decode answers, -3 where it threw; `batch` is a llama_batch.
///
/// With a `block` of more than 1 a token of position p goes into a cell of number p modulo `block`, behind all that are in use.
int32_t cllama_decode(void *context, const void *batch, uint32_t block, cllama_failure *failure);

/// What llama_memory_seq_rm answers, and llama_memory_seq_cp of whole sequences; false where they threw.
bool cllama_truncate(void *context, int32_t sequence, int32_t position, cllama_failure *failure);
bool cllama_copy(void *context, int32_t source, int32_t target, cllama_failure *failure);

/// What llama_tokenize answers: the count, or the room that is needed as a negative number; INT32_MIN on failure.
int32_t cllama_tokenize(
    const void *vocabulary, const char *text, int32_t length, int32_t *tokens, int32_t room, bool add_special,
    bool read_special, cllama_failure *failure);

/// A llama_sampler *, null if the grammar is no good; `vocabulary` may be null.
void *cllama_grammar(const void *vocabulary, const char *grammar, cllama_failure *failure);
/// `candidates` is a llama_token_data_array.
bool cllama_apply(void *sampler, void *candidates, cllama_failure *failure);
bool cllama_accept(void *sampler, int32_t token, cllama_failure *failure);

/// Writes a model with other weights; `type` is a llama_ftype. False on failure.
bool cllama_quantize(const char *source, const char *target, int32_t type, int32_t threads, cllama_failure *failure);

/// Bytes of memory, on the model's accelerator and of the machine.
typedef struct {
    uint64_t device_weights, device_cache, device_compute;
    uint64_t host_weights, host_cache, host_compute;
} cllama_memory;

/// What a model with a context would take, without taking it: llama.cpp plans it as if there were memory without end.
bool cllama_plan_memory(
    const char *path, const void *model_parameters, const void *context_parameters, cllama_memory *memory,
    cllama_failure *failure);

#ifdef __cplusplus
}
#endif
