#include <charconv>
#include <cmath>

#include "python.h"

namespace assay {

namespace {

// As Python's repr: the shortest digits that read back the same.
std::string float_text(double number) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
    const std::string scientific(buffer, end);
    const size_t e = scientific.find('e');
    const int exponent = std::stoi(scientific.substr(e + 1));
    if (exponent < -4 || exponent >= 16) {
        std::string digits = std::to_string(std::abs(exponent));
        if (digits.size() < 2) digits = "0" + digits;
        return scientific.substr(0, e) + (exponent < 0 ? "e-" : "e+") + digits;
    }
    const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed).ptr;
    std::string result(buffer, fixed);
    if (result.find('.') == std::string::npos) result += ".0";
    return result;
}

void append_hex(std::string &out, const char *prefix, unsigned number, int digits) {
    char buffer[16];
    snprintf(buffer, sizeof buffer, "%s%0*x", prefix, digits, number);
    out += buffer;
}

std::string quoted(const std::string &content) {
    const bool single = content.find('\'') == std::string::npos || content.find('"') != std::string::npos;
    const char quote = single ? '\'' : '"';
    std::string out(1, quote);
    for (const auto point : code_points(content)) {
        const unsigned char c = static_cast<unsigned char>(point[0]);
        if (point.size() > 1) {
            const unsigned second = static_cast<unsigned char>(point[1]);
            if (c == 0xC2 && (second <= 0xA0 || second == 0xAD)) {
                append_hex(out, "\\x", second, 2);
            } else {
                out += point;
            }
        } else if (c == '\\' || c == static_cast<unsigned char>(quote)) {
            out += '\\';
            out += char(c);
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c < 0x20 || c == 0x7F) {
            append_hex(out, "\\x", c, 2);
        } else {
            out += char(c);
        }
    }
    return out += quote;
}

void append_json_string(std::string &out, const std::string &content) {
    out += '"';
    for (const char c : content) {
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                append_hex(out, "\\u", static_cast<unsigned char>(c), 4);
            } else {
                out += c;
            }
        }
    }
    out += '"';
}

struct notation {
    bool is_json;
};

void append(std::string &out, const value &v, notation how, size_t depth, budget &budget) {
    if (depth > max_depth) throw failure("the value is nested more than 100 deep");
    budget.spend(1 + (is_text(v) ? size_of(v) / 64 : 0));
    if (out.size() > budget.bytes) budget.spend_text(out.size());
    if (is_silent(v)) return;
    if (v->is_undefined()) fail_undefined(v);
    if (v->is_none()) {
        out += how.is_json ? "null" : "None";
    } else if (jinja::is_val<jinja::value_bool>(v)) {
        out += how.is_json ? (v->val_int ? "true" : "false") : (v->val_int ? "True" : "False");
    } else if (jinja::is_val<jinja::value_int>(v)) {
        out += std::to_string(v->val_int);
    } else if (jinja::is_val<jinja::value_float>(v)) {
        out += float_text(v->val_flt);
    } else if (is_text(v)) {
        budget.spend_text(out.size() + size_of(v));
        if (how.is_json) {
            append_json_string(out, string_of(v));
        } else {
            out += quoted(string_of(v));
        }
    } else if (is_list(v)) {
        const bool is_tuple = !how.is_json && jinja::is_val<jinja::value_tuple>(v);
        out += is_tuple ? '(' : '[';
        bool first = true;
        for (const auto &item : v->val_arr) {
            if (!first) out += ", ";
            first = false;
            append(out, item, how, depth + 1, budget);
        }
        if (is_tuple && v->val_arr.size() == 1) out += ',';
        out += is_tuple ? ')' : ']';
    } else if (is_object(v)) {
        out += '{';
        bool first = true;
        for (const auto &member : v->val_obj) {
            if (!first) out += ", ";
            first = false;
            if (how.is_json) {
                append_json_string(out, str(member.first, budget));
            } else {
                append(out, member.first, how, depth + 1, budget);
            }
            out += ": ";
            append(out, member.second, how, depth + 1, budget);
        }
        out += '}';
    } else {
        throw failure("a function was used as a value; call it with ()");
    }
}

}  // namespace

std::string str(const value &v, budget &budget) {
    if (!is_text(v)) return repr(v, budget);
    budget.spend_text(size_of(v));
    return string_of(v);
}

std::string repr(const value &v, budget &budget) {
    std::string out;
    append(out, v, {false}, 0, budget);
    return out;
}

std::string json(const value &v, budget &budget) {
    std::string out;
    append(out, v, {true}, 0, budget);
    return out;
}

}  // namespace assay
