#pragma once

// JSON schemas as GBNF grammars, by llama.cpp's own converter. Safe to call from several threads.

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    // UTF-8 and a NUL; the grammar, or the error's message. To be freed with cgrammar_free. NULL when memory ran out.
    char *text;
    int failed;
} cgrammar_result;

// `schema` is JSON text of `length` bytes, which the caller has bounded: the converter recurses over it.
cgrammar_result cgrammar_from_schema(const char *schema, size_t length);

void cgrammar_free(char *text);

#ifdef __cplusplus
}
#endif
