#include "cgrammar.h"

#include <json.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>

// Declared in llama.cpp's json-schema-to-grammar.h, which is not installed since it needs half of the library's headers.
std::string json_schema_to_grammar(const common_json &schema, bool force_gbnf);

namespace {
std::string text_grammar(const common_json &pattern) {
    common_json schema = common_json::parse("{\"type\":\"string\"}");
    schema["pattern"] = pattern;
    return json_schema_to_grammar(schema, true);
}

// The converter takes any text for a pattern that it can't express, and says so on standard error alone.
void check_patterns(const common_json &schema) {
    if (!schema.is_object() && !schema.is_array()) return;
    for (const auto &[key, value] : schema.items()) {
        if (key == "pattern" && value.is_string() && text_grammar(value) == text_grammar("(")) {
            throw std::runtime_error("the pattern " + value.dump() + " can't be followed; it must begin with ^, end with $ and "
                                     "be one that llama.cpp can express");
        }
        check_patterns(value);
    }
}

cgrammar_result result(const std::string &text, int failed) {
    auto *copy = static_cast<char *>(std::malloc(text.size() + 1));
    if (copy) std::memcpy(copy, text.c_str(), text.size() + 1);
    return {copy, copy ? failed : 1};
}
}

cgrammar_result cgrammar_from_schema(const char *schema, size_t length) {
    try {
        const common_json parsed = common_json::parse(std::string(schema, length));
        check_patterns(parsed);
        return result(json_schema_to_grammar(parsed, true), 0);
    } catch (const std::exception &error) {
        return result(error.what(), 1);
    } catch (...) {
        return result("unknown error", 1);
    }
}

void cgrammar_free(char *text) { std::free(text); }
