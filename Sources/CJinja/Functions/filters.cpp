#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>

#include "../Values/strings.h"
#include "functions.h"

namespace assay {

namespace {

using filter = value (*)(const value &, const arguments &, budget &);

// What Python's int() and float() read.
std::optional<double> float_in(const std::string &content) {
    const std::string trimmed = strip(content, nullptr, true, true);
    if (trimmed.empty() || trimmed.find_first_not_of("0123456789+-.eE") != std::string::npos) return std::nullopt;
    char *end = nullptr;
    const double number = std::strtod(trimmed.c_str(), &end);
    if (*end || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::optional<int64_t> integer_in(const std::string &content) {
    const std::string trimmed = strip(content, nullptr, true, true);
    const size_t digits = trimmed.find_first_not_of("+-") == 1 ? 1 : 0;
    if (trimmed.size() == digits || trimmed.find_first_not_of("0123456789", digits) != std::string::npos) {
        return std::nullopt;
    }
    errno = 0;
    const long long number = std::strtoll(trimmed.c_str(), nullptr, 10);
    if (errno) throw failure("the integer " + trimmed.substr(0, 40) + " does not fit in 64 bits");
    return number;
}

value truncated(double number) {
    if (!(std::abs(number) < 9.2e18)) throw failure("the number does not fit in 64 bits");
    return integer(int64_t(number));
}

value to_integer(const value &input, const arguments &given, budget &) {
    given.check("int", 1, {"default"});
    if (jinja::is_val<jinja::value_float>(input)) return truncated(input->val_flt);
    if (is_number(input)) return integer(input->val_int);
    if (is_text(input)) {
        const std::string content = string_of(input);
        if (const auto number = integer_in(content)) return integer(*number);
        if (const auto number = float_in(content)) return truncated(*number);
    }
    const value fallback = given.get(0, "default");
    return fallback ? fallback : integer(0);
}

value to_float(const value &input, const arguments &given, budget &) {
    given.check("float", 1, {"default"});
    if (jinja::is_val<jinja::value_float>(input)) return input;
    if (is_number(input)) return floating(double(input->val_int));
    if (is_text(input)) {
        if (const auto number = float_in(string_of(input))) return floating(*number);
    }
    const value fallback = given.get(0, "default");
    return fallback ? fallback : floating(0);
}

value length(const value &input, const arguments &given, budget &budget) {
    given.check("length", 0);
    budget.spend(1 + size_of(input) / 8);
    if (is_text(input)) return integer(int64_t(count_code_points(string_of(input))));
    if (is_list(input) || is_object(input)) return integer(int64_t(size_of(input)));
    throw failure(kind_of(input) + " has no length");
}

value round_filter(const value &input, const arguments &given, budget &) {
    given.check("round", 1, {"precision"});
    if (!is_number(input)) throw failure("round needs a number, not " + kind_of(input));
    const value precision = given.get(0, "precision");
    if (precision && !jinja::is_val<jinja::value_int>(precision)) throw failure("round needs an integer as precision");
    const int64_t digits = precision ? precision->val_int : 0;
    if (digits < 0 || digits > 15) throw failure("round takes a precision from 0 to 15");
    // The C library rounds the exact binary value, ties to even, as Python does.
    char buffer[512];
    const double number = jinja::is_val<jinja::value_float>(input) ? input->val_flt : double(input->val_int);
    snprintf(buffer, sizeof buffer, "%.*f", int(digits), number);
    return floating(std::strtod(buffer, nullptr));
}

value absolute(const value &input, const arguments &given, budget &) {
    given.check("abs", 0);
    if (jinja::is_val<jinja::value_float>(input)) return floating(std::abs(input->val_flt));
    if (!is_number(input)) throw failure("abs needs a number, not " + kind_of(input));
    if (input->val_int == INT64_MIN) throw failure("the number does not fit in 64 bits");
    return integer(std::abs(input->val_int));
}

value replace_filter(const value &input, const arguments &given, budget &budget) {
    given.check("replace", 3, {"old", "new", "count"});
    const value old = given.get(0, "old"), with = given.get(1, "new"), count = given.get(2, "count");
    if (!old || !with) throw failure("replace needs the old and the new text");
    if (count && !jinja::is_val<jinja::value_int>(count)) throw failure("replace needs an integer as its count");
    return text(replace(
        str(input, budget), str(old, budget), str(with, budget), count ? count->val_int : -1, budget));
}

value trim(const value &input, const arguments &given, budget &budget) {
    given.check("trim", 1, {"chars"});
    const value characters = given.get(0, "chars");
    const std::string content = str(input, budget);
    if (!characters) return text(strip(content, nullptr, true, true));
    const std::string unwanted = str(characters, budget);
    budget.spend(content.size() * (unwanted.size() / 8 + 1) / 8);
    return text(strip(content, &unwanted, true, true));
}

// Quotes as json.dumps does, with what Jinja escapes for HTML.
value tojson(const value &input, const arguments &given, budget &budget) {
    given.check("tojson", 0);
    const std::string plain = json(input, budget);
    std::string result;
    for (const auto point : code_points(plain)) {
        if (point == "<") {
            result += "\\u003c";
        } else if (point == ">") {
            result += "\\u003e";
        } else if (point == "&") {
            result += "\\u0026";
        } else if (point == "'") {
            result += "\\u0027";
        } else if (point.size() > 1) {
            throw failure("tojson works on ASCII text only, and this text has other letters");
        } else {
            result += point;
        }
    }
    return text(std::move(result));
}

const std::map<std::string, filter> &filters() {
    static const std::map<std::string, filter> table = {
        {"int", to_integer}, {"float", to_float}, {"length", length}, {"count", length}, {"join", join_filter},
        {"first", first_filter}, {"last", last_filter}, {"reverse", reverse_filter}, {"sort", sort_filter},
        {"unique", unique_filter}, {"sum", sum_filter},
        {"round", round_filter}, {"abs", absolute}, {"items", items_filter}, {"map", map_filter},
        {"replace", replace_filter}, {"trim", trim}, {"tojson", tojson},
        {"string", [](const value &v, const arguments &a, budget &b) { a.check("string", 0); return text(str(v, b)); }},
        {"safe", [](const value &v, const arguments &a, budget &) { a.check("safe", 0); return v; }},
        {"list", [](const value &v, const arguments &a, budget &b) {
             a.check("list", 0);
             return list(items_of(v, b));
         }},
        {"lower", [](const value &v, const arguments &a, budget &b) {
             a.check("lower", 0);
             return text(lower(str(v, b)));
         }},
        {"upper", [](const value &v, const arguments &a, budget &b) {
             a.check("upper", 0);
             return text(upper(str(v, b)));
         }},
        {"capitalize", [](const value &v, const arguments &a, budget &b) {
             a.check("capitalize", 0);
             return text(capitalize(str(v, b)));
         }},
        {"min", minimum_filter}, {"max", maximum_filter}, {"select", select_filter}, {"reject", reject_filter},
        {"selectattr", selectattr_filter}, {"rejectattr", rejectattr_filter},
    };
    return table;
}

}  // namespace

bool is_filter(const std::string &name) { return name == "default" || name == "d" || filters().count(name) > 0; }
value apply_filter(const std::string &name, const value &input, const arguments &given, budget &budget) {
    budget.spend(1);
    if (name == "default" || name == "d") {
        given.check(name, 2, {"default_value", "boolean"});
        const value fallback = given.get(0, "default_value");
        const bool replaces = input->is_undefined() || (given.is_on(1, "boolean") && !truth(input));
        return !replaces ? input : fallback ? fallback : text("");
    }
    const auto entry = filters().find(name);
    if (entry == filters().end()) {
        throw failure("there is no filter '" + name + "'; known are default, " + names_of(filters()));
    }
    return entry->second(input, given, budget);
}

}  // namespace assay
