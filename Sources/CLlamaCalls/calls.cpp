#include "include/cllama_calls.h"

#include <llama.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <memory>

// From llama.cpp's src/llama-ext.h, which is not installed.
struct llama_memory_breakdown_data {
    size_t model = 0;
    size_t context = 0;
    size_t compute = 0;
};
std::map<ggml_backend_buffer_type_t, llama_memory_breakdown_data> llama_get_memory_breakdown(const llama_context *ctx);

// What infra/llama adds to llama.cpp: decoding looks at it on the thread that calls.
extern "C" thread_local uint32_t assay_cell_block;

namespace {

void say(cllama_failure *failure, const char *what) {
    std::strncpy(failure->text, what && *what ? what : "an unknown error", CLLAMA_FAILURE_BYTES - 1);
    failure->text[CLLAMA_FAILURE_BYTES - 1] = 0;
}

// Runs `work`; no exception leaves.
template <typename Result, typename Work>
Result guarded(Result otherwise, cllama_failure *failure, Work work) {
    failure->text[0] = 0;
    try {
        return work();
    } catch (const std::exception &error) {
        say(failure, error.what());
    } catch (...) {
        say(failure, nullptr);
    }
    return otherwise;
}

struct tokenizing {
    const llama_vocab *vocabulary;
    const char *text;
    int32_t length;
    int32_t *tokens;
    int32_t room;
    bool add_special, read_special;
    cllama_failure *failure;
    int32_t answer;
};

void *tokenize(void *argument) {
    auto *call = static_cast<tokenizing *>(argument);
    call->answer = guarded(INT32_MIN, call->failure, [&] {
        return llama_tokenize(
            call->vocabulary, call->text, call->length, call->tokens, call->room, call->add_special,
            call->read_special);
    });
    return nullptr;
}

// libstdc++'s regular expressions, which split a text into words, call themselves for every letter of a word: 330 bytes of
// stack each where that was measured. A word may be as long as the text.
constexpr size_t stack_for_each_byte = 1024, stack_besides = 1 << 20;
// What any thread has room for.
constexpr int32_t short_text = 4096;

bool tokenize_on_thread(tokenizing &call) {
    const size_t page = 1 << 16;
    const size_t size = (stack_besides + size_t(call.length) * stack_for_each_byte + page - 1) / page * page;
    // Only what is touched takes memory; pthread's own stacks would be counted in full.
    void *stack = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) return false;
    mprotect(stack, page, PROT_NONE);
    pthread_attr_t attributes;
    pthread_t thread;
    bool started = pthread_attr_init(&attributes) == 0;
    if (started) {
        started = pthread_attr_setstack(&attributes, stack, size) == 0 &&
            pthread_create(&thread, &attributes, tokenize, &call) == 0;
        pthread_attr_destroy(&attributes);
    }
    if (started) pthread_join(thread, nullptr);
    munmap(stack, size);
    return started;
}

}  // namespace

void *cllama_load(const char *path, const void *parameters, cllama_failure *failure) {
    return guarded<void *>(nullptr, failure, [&] {
        return llama_model_load_from_file(path, *static_cast<const llama_model_params *>(parameters));
    });
}

void *cllama_context(void *model, const void *parameters, cllama_failure *failure) {
    return guarded<void *>(nullptr, failure, [&] {
        return llama_init_from_model(
            static_cast<llama_model *>(model), *static_cast<const llama_context_params *>(parameters));
    });
}

int32_t cllama_decode(void *context, const void *batch, uint32_t block, cllama_failure *failure) {
    return guarded<int32_t>(-3, failure, [&] {
        assay_cell_block = block;
        return llama_decode(static_cast<llama_context *>(context), *static_cast<const llama_batch *>(batch));
    });
}

bool cllama_truncate(void *context, int32_t sequence, int32_t position, cllama_failure *failure) {
    return guarded(false, failure, [&] {
        return llama_memory_seq_rm(llama_get_memory(static_cast<llama_context *>(context)), sequence, position, -1);
    });
}

bool cllama_copy(void *context, int32_t source, int32_t target, cllama_failure *failure) {
    return guarded(false, failure, [&] {
        llama_memory_seq_cp(llama_get_memory(static_cast<llama_context *>(context)), source, target, -1, -1);
        return true;
    });
}

int32_t cllama_tokenize(
    const void *vocabulary, const char *text, int32_t length, int32_t *tokens, int32_t room, bool add_special,
    bool read_special, cllama_failure *failure) {
    tokenizing call{
        static_cast<const llama_vocab *>(vocabulary), text, length, tokens, room, add_special, read_special, failure,
        INT32_MIN};
    failure->text[0] = 0;
    if (length <= short_text) {
        tokenize(&call);
    } else if (!tokenize_on_thread(call)) {
        say(failure, "there is no memory for the stack that a text of this length needs");
    }
    return call.answer;
}

bool cllama_quantize(const char *source, const char *target, int32_t type, int32_t threads, cllama_failure *failure) {
    return guarded(false, failure, [&] {
        auto parameters = llama_model_quantize_default_params();
        parameters.ftype = static_cast<llama_ftype>(type);
        parameters.nthread = threads;
        parameters.allow_requantize = true;
        return llama_model_quantize(source, target, &parameters) == 0;
    });
}

void *cllama_grammar(const void *vocabulary, const char *grammar, cllama_failure *failure) {
    return guarded<void *>(nullptr, failure, [&] {
        return llama_sampler_init_grammar(static_cast<const llama_vocab *>(vocabulary), grammar, "root");
    });
}

bool cllama_apply(void *sampler, void *candidates, cllama_failure *failure) {
    return guarded(false, failure, [&] {
        llama_sampler_apply(static_cast<llama_sampler *>(sampler), static_cast<llama_token_data_array *>(candidates));
        return true;
    });
}

bool cllama_accept(void *sampler, int32_t token, cllama_failure *failure) {
    return guarded(false, failure, [&] {
        llama_sampler_accept(static_cast<llama_sampler *>(sampler), token);
        return true;
    });
}

bool cllama_plan_memory(
    const char *path, const void *model_parameters, const void *context_parameters, cllama_memory *memory,
    cllama_failure *failure) {
    return guarded(false, failure, [&] {
        auto parameters = *static_cast<const llama_model_params *>(model_parameters);
        parameters.no_alloc = true;
        parameters.load_mode = LLAMA_LOAD_MODE_NONE;
        const std::unique_ptr<llama_model, void (*)(llama_model *)> model(
            llama_model_load_from_file(path, parameters), llama_model_free);
        if (!model) return false;
        const std::unique_ptr<llama_context, void (*)(llama_context *)> context(
            llama_init_from_model(model.get(), *static_cast<const llama_context_params *>(context_parameters)),
            llama_free);
        if (!context) return false;
        *memory = {};
        for (const auto &[buffers, bytes] : llama_get_memory_breakdown(context.get())) {
            ggml_backend_dev_t device = ggml_backend_buft_get_device(buffers);
            // Memory of the machine that a GPU may read counts as the machine's.
            const bool is_host = ggml_backend_buft_is_host(buffers) || !device ||
                ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
            (is_host ? memory->host_weights : memory->device_weights) += bytes.model;
            (is_host ? memory->host_cache : memory->device_cache) += bytes.context;
            (is_host ? memory->host_compute : memory->device_compute) += bytes.compute;
        }
        return true;
    });
}
