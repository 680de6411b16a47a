#include "cgrammar.h"

#include <json.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

// Declared in llama.cpp's json-schema-to-grammar.h, which is not installed since it needs half of the library's headers.
std::string json_schema_to_grammar(const common_json &schema, bool force_gbnf);

namespace {
cgrammar_result result(const std::string &text, int failed) {
    auto *copy = static_cast<char *>(std::malloc(text.size() + 1));
    if (copy) std::memcpy(copy, text.c_str(), text.size() + 1);
    return {copy, copy ? failed : 1};
}
}

cgrammar_result cgrammar_from_schema(const char *schema, size_t length) {
    try {
        return result(json_schema_to_grammar(common_json::parse(std::string(schema, length)), true), 0);
    } catch (const std::exception &error) {
        return result(error.what(), 1);
    } catch (...) {
        return result("unknown error", 1);
    }
}

void cgrammar_free(char *text) { std::free(text); }
