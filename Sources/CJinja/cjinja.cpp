#include "include/cjinja.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "Parsing/source.h"
#include "Tree/tree.h"

struct cjinja_template {
    std::string source;
    assay::statements body;
    bool is_chat = false;
};

namespace {

void put(cjinja_result *result, const std::string &content) {
    result->text = static_cast<char *>(std::malloc(content.size() + 1));
    if (!result->text) {
        result->failed = 1;
        return;
    }
    std::memcpy(result->text, content.data(), content.size());
    result->text[content.size()] = 0;
    result->length = content.size();
}

// Runs `work`, which gives the text; no exception leaves.
template <typename Work>
void guarded(const std::string &source, cjinja_result *result, Work work) {
    *result = {};
    try {
        put(result, work());
        return;
    } catch (const assay::failure &error) {
        result->failed = 1;
        if (error.position != assay::nowhere) {
            const size_t end = std::min(error.position, source.size());
            size_t line_start = 0;
            result->line = 1;
            for (size_t at = 0; at < end; ++at) {
                if (source[at] != '\n') continue;
                ++result->line;
                line_start = at + 1;
            }
            const std::string_view before = std::string_view(source).substr(line_start, end - line_start);
            result->column = assay::count_code_points(before) + 1;
        }
        put(result, error.what());
    } catch (const std::bad_alloc &) {
        result->failed = 1;
    } catch (const std::exception &error) {
        result->failed = 1;
        put(result, error.what());
    } catch (...) {
        result->failed = 1;
        put(result, "an unknown error");
    }
}

jinja::program parse(const std::vector<jinja::token> &tokens, const std::string &source, size_t position) {
    try {
        return jinja::parse_from_tokens({tokens, source});
    } catch (const std::out_of_range &) {
        throw assay::failure("a number does not fit in 64 bits", position);
    } catch (const std::exception &error) {
        // The message's first line is "parser: Parser Error: what"; what follows shows the source.
        std::string what = error.what();
        what = what.substr(0, what.find('\n'));
        for (const char *prefix : {"parser: ", "Parser Error: "}) {
            if (what.rfind(prefix, 0) == 0) what = what.substr(std::strlen(prefix));
        }
        throw assay::failure("this can't be parsed: " + what, position);
    }
}

// The parser names no position, so each {{ }} is tried on its own first.
assay::statements compiled(const std::string &source, bool is_chat) {
    const auto tokens = assay::tokens_of(source, is_chat);
    size_t statement = assay::nowhere;
    for (size_t index = 0; index < tokens.size(); ++index) {
        if (tokens[index].t == jinja::token::open_statement) statement = std::min(statement, tokens[index].pos);
        if (tokens[index].t != jinja::token::open_expression) continue;
        size_t end = index;
        while (end < tokens.size() && tokens[end].t != jinja::token::close_expression) ++end;
        parse({tokens.begin() + long(index), tokens.begin() + long(std::min(end + 1, tokens.size()))}, source,
              tokens[index].pos);
        index = end;
    }
    std::unordered_set<size_t> texts;
    for (const auto &token : tokens) {
        if (token.t == jinja::token::text) texts.insert(token.pos);
    }
    return assay::compile(parse(tokens, source, statement), texts, is_chat);
}

// Values are built by recursion.
void check_depth(const char *json, size_t length) {
    size_t depth = 0;
    bool is_string = false;
    for (size_t at = 0; at < length; ++at) {
        const char c = json[at];
        if (is_string) {
            if (c == '\\') {
                ++at;
            } else if (c == '"') {
                is_string = false;
            }
        } else if (c == '"') {
            is_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > 100) throw assay::failure("the variables are nested more than 100 deep");
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
}

void fill(assay::scope &names, const char *variables, size_t length) {
    check_depth(variables, length);
    // The context's own names (true, none, ...) are constants here, so only what is read is copied.
    const common_json object = common_json::parse(std::string(variables, length));
    jinja::context context;
    jinja::global_from_json(context, object, false);
    for (auto member = object.begin(); member != object.end(); ++member) {
        names.names[member.key()] = context.get_val(member.key());
    }
}

}  // namespace

cjinja_template *cjinja_parse(const char *source, size_t length, int is_chat, cjinja_result *result) {
    cjinja_template *parsed = nullptr;
    std::string plain;
    guarded(plain, result, [&] {
        plain = assay::with_plain_newlines(std::string(source, length));
        // Without keep_trailing_newline.
        if (is_chat && !plain.empty() && plain.back() == '\n') plain.pop_back();
        auto made = std::make_unique<cjinja_template>();
        made->body = compiled(plain, is_chat != 0);
        made->is_chat = is_chat != 0;
        made->source = plain;
        parsed = made.release();
        return std::string();
    });
    if (parsed) {
        cjinja_free(result->text);
        *result = {};
    }
    return parsed;
}

void cjinja_release(cjinja_template *parsed) { delete parsed; }

void cjinja_render(
    const cjinja_template *parsed, const char *variables, size_t length, cjinja_limits limits, cjinja_result *result) {
    guarded(parsed->source, result, [&] {
        assay::scope names;
        assay::output out;
        assay::budget budget{limits.steps, limits.bytes};
        budget.lenient = parsed->is_chat;
        budget.probes = limits.probes != 0;
        fill(names, variables, length);
        assay::frame frame{names, out, budget};
        assay::run_all(parsed->body, frame);
        return std::move(out.text);
    });
}

void cjinja_evaluate(
    const cjinja_template *parsed, const char *variables, size_t length, cjinja_limits limits, cjinja_result *result) {
    guarded(parsed->source, result, [&] {
        assay::scope names;
        assay::output out;
        out.keeps_values = true;
        assay::budget budget{limits.steps, limits.bytes};
        fill(names, variables, length);
        assay::frame frame{names, out, budget};
        assay::run_all(parsed->body, frame);
        if (out.text.find_first_not_of(" \t\n\v\f\r") != std::string::npos || out.values.size() != 1) {
            throw assay::failure("the template must give one value, as {{ expression }} with no other text");
        }
        return assay::json(out.values[0], budget);
    });
}

void cjinja_free(char *text) { std::free(text); }
