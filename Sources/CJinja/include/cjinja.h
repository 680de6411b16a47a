#pragma once

// Jinja templates as task files use them: llama.cpp's lexer, parser and values, evaluated with the meaning that
// Python's Jinja gives them under StrictUndefined, keep_trailing_newline, no trim_blocks, no lstrip_blocks.
// Every function is safe to call from several threads; a template never changes once it is parsed.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cjinja_template cjinja_template;

typedef struct {
    // Units of work: about one for each node evaluated and for each 64 bytes or elements handled.
    uint64_t steps;
    // Bytes of the longest string and of the output.
    size_t bytes;
    // Not 0: the variables are unknown, and only what no variables can help is an error.
    int probes;
} cjinja_limits;

typedef struct {
    // UTF-8, `length` bytes and a NUL; the output, or the error's message. To be freed with cjinja_free. NULL when
    // memory ran out.
    char *text;
    size_t length;
    int failed;
    // The error's place in the template, from 1; 0 where none can be named.
    size_t line;
    size_t column;
} cjinja_result;

// Parses a template. NULL on failure, with the error in `result`; else `result` is left empty.
// With `is_chat` it has the meaning that transformers gives to chat templates: trim_blocks, lstrip_blocks, no
// newline at the end, undefined values are empty, macros and raise_exception can be used.
cjinja_template *cjinja_parse(const char *source, size_t length, int is_chat, cjinja_result *result);

void cjinja_release(cjinja_template *parsed);

// Renders to text; `variables` is a JSON object.
void cjinja_render(
    const cjinja_template *parsed, const char *variables, size_t length, cjinja_limits limits, cjinja_result *result);

// The value of a template's one expression as JSON text. White space and statements that print nothing may stand
// around it; any other text is an error.
void cjinja_evaluate(
    const cjinja_template *parsed, const char *variables, size_t length, cjinja_limits limits, cjinja_result *result);

void cjinja_free(char *text);

#ifdef __cplusplus
}
#endif
