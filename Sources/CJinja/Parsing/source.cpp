#include "source.h"

#include <algorithm>

#include "failure.h"

namespace assay {

namespace {

// The parser and the evaluator recurse; these keep both within a few hundred KiB of stack.
constexpr size_t max_source = 1 << 20;
constexpr size_t max_tokens = 50000;
constexpr size_t max_nesting = 100;
constexpr size_t max_operators = 200;
constexpr size_t max_blocks = 100;

constexpr const char *white_space = " \t\n\v\f\r";

struct tag {
    size_t start;
    size_t end;  // behind the closing marker
    char kind;   // '{', '%' or '#'
    bool trims_before;
    bool trims_after;
};

// Where a tag that starts at `start` ends; strings and braces inside it are skipped.
tag tag_at(const std::string &source, size_t start) {
    tag result{start, 0, source[start + 1], false, false};
    size_t at = start + 2;
    if (at < source.size() && (source[at] == '-' || source[at] == '+')) {
        result.trims_before = source[at] == '-';
    }
    if (result.kind == '#') {
        const size_t close = source.find("#}", at);
        if (close == std::string::npos) throw failure("this comment is not closed with #}", start);
        result.trims_after = close > at && source[close - 1] == '-';
        result.end = close + 2;
        return result;
    }
    const char closing = result.kind == '{' ? '}' : '%';
    size_t depth = 0;
    char quote = 0;
    for (; at < source.size(); ++at) {
        const char c = source[at];
        if (quote) {
            if (c == '\\') {
                ++at;
            } else if (c == quote) {
                quote = 0;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (depth == 0 && c == closing && at + 1 < source.size() && source[at + 1] == '}') {
            result.trims_after = source[at - 1] == '-' && at - 1 > start + 1;
            result.end = at + 2;
            return result;
        } else if (c == '{' || c == '[' || c == '(') {
            ++depth;
        } else if ((c == '}' || c == ']' || c == ')') && depth > 0) {
            --depth;
        }
    }
    throw failure(std::string("this tag is not closed with ") + closing + "}", start);
}

// The first word of a {% tag.
std::string word_of(const std::string &source, const tag &found) {
    size_t at = found.start + 2;
    if (source[at] == '-' || source[at] == '+') ++at;
    at = source.find_first_not_of(white_space, at);
    if (at == std::string::npos || at >= found.end) return "";
    size_t end = at;
    while (end < found.end && jinja::lexer::is_word(source[end])) ++end;
    return source.substr(at, end - at);
}

// A tag without its trimming marks, of the same length.
std::string plain(const std::string &source, const tag &found) {
    std::string text = source.substr(found.start, found.end - found.start);
    if (text[2] == '-' || text[2] == '+') text[2] = ' ';
    char &last = text[text.size() - 3];
    if (text.size() > 5 && (last == '-' || (last == '+' && found.kind == '%'))) last = ' ';
    return text;
}

bool is_operator(const std::vector<jinja::token> &tokens, size_t index) {
    using kind = jinja::token;
    const jinja::token &token = tokens[index];
    switch (token.t) {
    case kind::additive_binary_operator:
    case kind::multiplicative_binary_operator:
    case kind::comparison_binary_operator:
    case kind::unary_operator:
    case kind::pipe:
    case kind::dot:
        return true;
    case kind::identifier:
        return token.value == "and" || token.value == "or" || token.value == "not" || token.value == "is" ||
               token.value == "in" || token.value == "if" || token.value == "else";
    case kind::open_paren:
    case kind::open_square_bracket: {
        // Only behind a value is it a call or a subscript.
        if (index == 0) return false;
        const auto before = tokens[index - 1].t;
        return before == kind::identifier || before == kind::close_paren || before == kind::close_square_bracket ||
               before == kind::string_literal;
    }
    default:
        return false;
    }
}

void check_depth(const std::vector<jinja::token> &tokens, size_t position) {
    size_t nesting = 0, operators = 0;
    for (size_t index = 0; index < tokens.size(); ++index) {
        switch (tokens[index].t) {
        case jinja::token::open_paren:
        case jinja::token::open_square_bracket:
        case jinja::token::open_curly_bracket:
            if (++nesting > max_nesting) throw failure("brackets are nested too deeply (the limit is 100)", position);
            break;
        case jinja::token::close_paren:
        case jinja::token::close_square_bracket:
        case jinja::token::close_curly_bracket:
            if (nesting > 0) --nesting;
            break;
        default:
            break;
        }
        if (is_operator(tokens, index) && ++operators > max_operators) {
            throw failure("this expression has more than 200 operators, calls and filters; split it", position);
        }
    }
}

std::vector<jinja::token> tokens_of_tag(const std::string &source, const tag &found) {
    std::vector<jinja::token> tokens;
    try {
        tokens = jinja::lexer().tokenize(plain(source, found)).tokens;
    } catch (const std::exception &error) {
        // The message's first line is "lexer: what"; what follows shows the source.
        std::string what = error.what();
        what = what.substr(0, what.find('\n'));
        if (what.rfind("lexer: ", 0) == 0) what = what.substr(7);
        throw failure(what, found.start);
    }
    for (auto &token : tokens) token.pos += found.start;
    check_depth(tokens, found.start);
    return tokens;
}

}  // namespace

std::string with_plain_newlines(const std::string &source) {
    std::string result;
    result.reserve(source.size());
    for (size_t at = 0; at < source.size(); ++at) {
        if (source[at] != '\r') {
            result += source[at];
        } else {
            result += '\n';
            if (at + 1 < source.size() && source[at + 1] == '\n') ++at;
        }
    }
    return result;
}

std::vector<jinja::token> tokens_of(const std::string &source, bool trims_blocks) {
    if (source.size() > max_source) throw failure("the template is longer than 1 MiB");
    std::vector<jinja::token> result;
    size_t at = 0, blocks = 0;
    bool trim = false;

    // Whether a tag has the mark that keeps white space on that side.
    auto keeps_before = [&](const tag &found) { return source[found.start + 2] == '+'; };
    auto keeps_after = [&](const tag &found) { return found.end >= 3 && source[found.end - 3] == '+'; };
    // Behind a tag: one newline goes with a block.
    auto behind = [&](const tag &found) {
        const bool takes = trims_blocks && found.kind != '{' && !keeps_after(found);
        return takes && found.end < source.size() && source[found.end] == '\n' ? found.end + 1 : found.end;
    };
    auto add_text = [&](size_t start, size_t end, bool trims_end, const tag *next = nullptr) {
        if (trims_blocks && next && next->kind != '{' && !keeps_before(*next)) {
            const size_t last = source.find_last_not_of(" \t", end == 0 ? 0 : end - 1);
            const bool begins_line =
                end == 0 || last == std::string::npos || source[last] == '\n' || (last < start && start > 0 && source[start - 1] == '\n');
            if (end > start && begins_line) end = last == std::string::npos ? start : std::max(start, last + 1);
        }
        if (trim) start = std::min(end, source.find_first_not_of(white_space, start));
        if (trims_end) {
            const size_t last = source.find_last_not_of(white_space, end == 0 ? 0 : end - 1);
            end = last == std::string::npos || last < start ? start : std::min(end, last + 1);
        }
        if (end > start) result.push_back({jinja::token::text, source.substr(start, end - start), start});
    };

    while (at < source.size()) {
        size_t start = at;
        while (true) {
            start = source.find('{', start);
            if (start == std::string::npos || start + 1 >= source.size()) {
                start = source.size();
                break;
            }
            const char next = source[start + 1];
            if (next == '{' || next == '%' || next == '#') break;
            ++start;
        }
        if (start == source.size()) {
            add_text(at, start, false);
            break;
        }
        const tag found = tag_at(source, start);
        add_text(at, start, found.trims_before, &found);
        trim = found.trims_after;
        at = behind(found);
        if (found.kind == '#') continue;
        if (found.kind == '%') {
            const std::string word = word_of(source, found);
            if (word == "raw") {
                size_t search = at;
                while (true) {
                    const size_t next = source.find("{%", search);
                    if (next == std::string::npos) throw failure("this raw block is not closed with endraw", start);
                    const tag end = tag_at(source, next);
                    if (word_of(source, end) == "endraw") {
                        add_text(at, next, end.trims_before, &end);
                        trim = end.trims_after;
                        at = behind(end);
                        break;
                    }
                    search = next + 2;
                }
                continue;
            }
            // An elif nests like an if of its own.
            if (word == "if" || word == "for" || word == "elif") {
                if (++blocks > max_blocks) throw failure("statements are nested too deeply (the limit is 100)", start);
            } else if ((word == "endif" || word == "endfor") && blocks > 0) {
                --blocks;
            }
        }
        const auto tokens = tokens_of_tag(source, found);
        result.insert(result.end(), tokens.begin(), tokens.end());
        if (result.size() > max_tokens) throw failure("the template has more than 50000 tokens", start);
    }
    return result;
}

}  // namespace assay
