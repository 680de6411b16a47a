#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>

#include "functions.h"
#include "strings.h"

namespace assay {

namespace {

using filter = value (*)(const value &, const arguments &, budget &);

void need_list(const value &v, const char *name) {
    if (!is_list(v)) throw failure(std::string(name) + " needs a list, not " + kind_of(v));
}

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
    if (is_text(input)) return integer(int64_t(code_points(string_of(input)).size()));
    if (is_list(input) || is_object(input)) return integer(int64_t(size_of(input)));
    throw failure(kind_of(input) + " has no length");
}

// A member or element named by a filter's attribute, as "a", "a.b" or an integer.
value attribute_of(const value &item, const value &attribute) {
    if (jinja::is_val<jinja::value_int>(attribute)) {
        need_list(item, "an attribute that is an integer");
        const int64_t size = int64_t(size_of(item));
        const int64_t index = attribute->val_int < 0 ? attribute->val_int + size : attribute->val_int;
        if (index < 0 || index >= size) throw failure("the list has no element " + std::to_string(attribute->val_int));
        return item->val_arr[size_t(index)];
    }
    if (!is_text(attribute)) throw failure("an attribute is a string or an integer, not " + kind_of(attribute));
    value result = item;
    std::string rest = string_of(attribute);
    while (true) {
        const size_t dot = rest.find('.');
        const std::string key = rest.substr(0, dot);
        if (!is_object(result)) throw failure("can't take attribute '" + key + "' of " + kind_of(result));
        value missing = jinja::mk_val<jinja::value_undefined>("there is no attribute '" + key + "'");
        const value found = result->at(key, missing);
        result = found;
        if (dot == std::string::npos) return result;
        rest = rest.substr(dot + 1);
    }
}

value join_filter(const value &input, const arguments &given, budget &budget) {
    given.check("join", 2, {"d", "attribute"});
    const value separator = given.get(0, "d"), attribute = given.get(1, "attribute");
    auto items = items_of(input, budget);
    if (attribute) {
        for (auto &item : items) item = attribute_of(item, attribute);
    }
    return text(join(items, separator ? str(separator, budget) : "", true, budget));
}

value first(const value &input, const arguments &given, budget &budget) {
    given.check("first", 0);
    const auto items = items_of(input, budget);
    return items.empty() ? jinja::mk_val<jinja::value_undefined>("first: the sequence is empty") : items.front();
}

value last(const value &input, const arguments &given, budget &budget) {
    given.check("last", 0);
    const auto items = items_of(input, budget);
    return items.empty() ? jinja::mk_val<jinja::value_undefined>("last: the sequence is empty") : items.back();
}

value reverse(const value &input, const arguments &given, budget &budget) {
    given.check("reverse", 0);
    auto items = items_of(input, budget);
    std::reverse(items.begin(), items.end());
    if (is_text(input)) return text(join(items, "", false, budget));
    return list(std::move(items));
}

// What sort, unique, min and max compare: strings without regard to case unless asked for.
struct order {
    value attribute;
    bool has_case;
    budget &limits;

    value key(const value &item) const {
        const value v = attribute ? attribute_of(item, attribute) : item;
        return is_text(v) && !has_case ? text(lower(string_of(v))) : v;
    }
    bool less(const value &a, const value &b) const { return compare(key(a), key(b), limits) < 0; }
};

bool flag(const value &v) { return v && truth(v); }

value sort(const value &input, const arguments &given, budget &budget) {
    given.check("sort", 3, {"reverse", "case_sensitive", "attribute"});
    auto items = items_of(input, budget);
    const order by{given.get(2, "attribute"), flag(given.get(1, "case_sensitive")), budget};
    const bool descends = flag(given.get(0, "reverse"));
    std::vector<size_t> positions(items.size());
    std::iota(positions.begin(), positions.end(), size_t(0));
    std::sort(positions.begin(), positions.end(), [&](size_t a, size_t b) {
        const int difference = compare(by.key(items[a]), by.key(items[b]), budget);
        // Equal elements stay in their order, also when the order is reversed.
        return difference == 0 ? a < b : (difference < 0) != descends;
    });
    std::vector<value> sorted;
    for (const size_t position : positions) sorted.push_back(items[position]);
    return list(std::move(sorted));
}

value extreme(const value &input, const arguments &given, budget &budget, bool wants_least) {
    given.check(wants_least ? "min" : "max", 2, {"case_sensitive", "attribute"});
    const auto items = items_of(input, budget);
    if (items.empty()) return jinja::mk_val<jinja::value_undefined>("the sequence is empty");
    const order by{given.get(1, "attribute"), flag(given.get(0, "case_sensitive")), budget};
    value best = items[0];
    for (const auto &item : items) {
        if (wants_least ? by.less(item, best) : by.less(best, item)) best = item;
    }
    return best;
}

value unique(const value &input, const arguments &given, budget &budget) {
    given.check("unique", 2, {"case_sensitive", "attribute"});
    const order by{given.get(1, "attribute"), flag(given.get(0, "case_sensitive")), budget};
    std::vector<value> keys, result;
    for (const auto &item : items_of(input, budget)) {
        const value key = by.key(item);
        const bool is_known =
            std::any_of(keys.begin(), keys.end(), [&](const value &known) { return equal(known, key, budget); });
        if (is_known) continue;
        keys.push_back(key);
        result.push_back(item);
    }
    return list(std::move(result));
}

value sum(const value &input, const arguments &given, budget &budget) {
    given.check("sum", 1, {"attribute"});
    const value attribute = given.get(0, "attribute");
    int64_t total = 0;
    double fraction = 0;
    bool is_float = false;
    for (const auto &item : items_of(input, budget)) {
        const value v = attribute ? attribute_of(item, attribute) : item;
        if (!is_number(v)) throw failure("sum needs numbers, and the list has " + kind_of(v));
        if (!is_float && jinja::is_val<jinja::value_float>(v)) {
            is_float = true;
            fraction = double(total);
        }
        if (is_float) {
            fraction += jinja::is_val<jinja::value_float>(v) ? v->val_flt : double(v->val_int);
        } else if (__builtin_add_overflow(total, v->val_int, &total)) {
            throw failure("the sum does not fit in 64 bits");
        }
    }
    return is_float ? floating(fraction) : integer(total);
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

value items_filter(const value &input, const arguments &given, budget &budget) {
    given.check("items", 0);
    if (!is_object(input)) throw failure("items needs an object, not " + kind_of(input));
    std::vector<value> pairs;
    for (const auto &member : input->val_obj) {
        budget.spend_container();
        pairs.push_back(jinja::mk_val<jinja::value_tuple>(member));
    }
    return list(std::move(pairs));
}

value map_filter(const value &input, const arguments &given, budget &budget) {
    std::vector<value> result;
    if (!given.positional.empty()) {
        if (!is_text(given.positional[0])) throw failure("map needs a filter's name or attribute=");
        const std::string name = string_of(given.positional[0]);
        arguments rest{{given.positional.begin() + 1, given.positional.end()}, given.named};
        for (const auto &item : items_of(input, budget)) result.push_back(apply_filter(name, item, rest, budget));
        return list(std::move(result));
    }
    given.check("map", 0, {"attribute", "default"});
    const value attribute = given.get(0, "attribute"), fallback = given.get(1, "default");
    if (!attribute) throw failure("map needs a filter's name or attribute=");
    for (const auto &item : items_of(input, budget)) {
        value v = attribute_of(item, attribute);
        result.push_back(v->is_undefined() && fallback ? fallback : v);
    }
    return list(std::move(result));
}

value pick(const value &input, const arguments &given, budget &budget, bool by_attribute, bool keeps) {
    const char *name = by_attribute ? (keeps ? "selectattr" : "rejectattr") : (keeps ? "select" : "reject");
    given.check(name, 99);
    size_t used = 0;
    value attribute;
    if (by_attribute) {
        if (given.positional.empty()) throw failure(std::string(name) + " needs an attribute");
        attribute = given.positional[used++];
    }
    std::string test;
    if (used < given.positional.size()) {
        if (!is_text(given.positional[used])) throw failure(std::string(name) + " needs a test's name");
        test = string_of(given.positional[used++]);
    }
    const arguments rest{{given.positional.begin() + long(used), given.positional.end()}, {}};
    std::vector<value> result;
    for (const auto &item : items_of(input, budget)) {
        const value v = attribute ? attribute_of(item, attribute) : item;
        if ((test.empty() ? truth(v) : apply_test(test, v, rest, budget)) == keeps) result.push_back(item);
    }
    return list(std::move(result));
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
    std::string result;
    for (const auto point : code_points(json(input, budget))) {
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
        {"first", first}, {"last", last}, {"reverse", reverse}, {"sort", sort}, {"unique", unique}, {"sum", sum},
        {"round", round_filter}, {"abs", absolute}, {"items", items_filter}, {"map", map_filter},
        {"replace", replace_filter}, {"trim", trim}, {"tojson", tojson},
        {"string", [](const value &v, const arguments &a, budget &b) { a.check("string", 0); return text(str(v, b)); }},
        {"safe", [](const value &v, const arguments &a, budget &) { a.check("safe", 0); return v; }},
        {"list", [](const value &v, const arguments &a, budget &b) { a.check("list", 0); return list(items_of(v, b)); }},
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
        {"min", [](const value &v, const arguments &a, budget &b) { return extreme(v, a, b, true); }},
        {"max", [](const value &v, const arguments &a, budget &b) { return extreme(v, a, b, false); }},
        {"select", [](const value &v, const arguments &a, budget &b) { return pick(v, a, b, false, true); }},
        {"reject", [](const value &v, const arguments &a, budget &b) { return pick(v, a, b, false, false); }},
        {"selectattr", [](const value &v, const arguments &a, budget &b) { return pick(v, a, b, true, true); }},
        {"rejectattr", [](const value &v, const arguments &a, budget &b) { return pick(v, a, b, true, false); }},
    };
    return table;
}

using test = std::function<bool(const value &, const arguments &, budget &)>;

test comparison(bool (*decide)(int)) {
    return [decide](const value &v, const arguments &given, budget &budget) {
        if (given.positional.size() != 1) throw failure("this test needs one value to compare with");
        return decide(compare(v, given.positional[0], budget));
    };
}

bool is_same(const value &v, const arguments &given, budget &budget, bool wanted) {
    if (given.positional.size() != 1) throw failure("this test needs one value to compare with");
    return equal(v, given.positional[0], budget) == wanted;
}

int64_t whole(const value &v) {
    if (!is_number(v) || jinja::is_val<jinja::value_float>(v)) throw failure("the test needs an integer");
    return v->val_int;
}

const std::map<std::string, test> &tests() {
    static const std::map<std::string, test> table = [] {
        std::map<std::string, test> t;
        auto plain = [&](const char *name, bool (*decide)(const value &)) {
            t[name] = [decide, name](const value &v, const arguments &given, budget &) {
                given.check(name, 0);
                return decide(v);
            };
        };
        plain("none", [](const value &v) { return v->is_none(); });
        plain("boolean", [](const value &v) { return jinja::is_val<jinja::value_bool>(v); });
        plain("true", [](const value &v) { return jinja::is_val<jinja::value_bool>(v) && v->val_int != 0; });
        plain("false", [](const value &v) { return jinja::is_val<jinja::value_bool>(v) && v->val_int == 0; });
        plain("integer", [](const value &v) { return jinja::is_val<jinja::value_int>(v); });
        plain("float", [](const value &v) { return jinja::is_val<jinja::value_float>(v); });
        plain("number", is_number);
        plain("string", is_text);
        plain("mapping", is_object);
        plain("sequence", [](const value &v) { return is_text(v) || is_list(v) || is_object(v); });
        plain("iterable", [](const value &v) { return is_text(v) || is_list(v) || is_object(v); });
        plain("odd", [](const value &v) { return whole(v) % 2 != 0; });
        plain("even", [](const value &v) { return whole(v) % 2 == 0; });
        plain("lower", [](const value &v) { return is_text(v) && lower(string_of(v)) == string_of(v) && upper(string_of(v)) != string_of(v); });
        plain("upper", [](const value &v) { return is_text(v) && upper(string_of(v)) == string_of(v) && lower(string_of(v)) != string_of(v); });
        t["divisibleby"] = [](const value &v, const arguments &given, budget &) {
            if (given.positional.size() != 1) throw failure("divisibleby needs one integer");
            const int64_t by = whole(given.positional[0]);
            if (by == 0) throw failure("divisibleby: division by zero");
            return by == -1 || whole(v) % by == 0;
        };
        t["in"] = [](const value &v, const arguments &given, budget &budget) {
            if (given.positional.size() != 1) throw failure("in needs one sequence");
            return contains(given.positional[0], v, budget);
        };
        for (const char *name : {"eq", "equalto"}) {
            t[name] = [](const value &v, const arguments &given, budget &b) { return is_same(v, given, b, true); };
        }
        t["ne"] = [](const value &v, const arguments &given, budget &b) { return is_same(v, given, b, false); };
        t["lt"] = t["lessthan"] = comparison([](int c) { return c < 0; });
        t["le"] = comparison([](int c) { return c <= 0; });
        t["gt"] = t["greaterthan"] = comparison([](int c) { return c > 0; });
        t["ge"] = comparison([](int c) { return c >= 0; });
        return t;
    }();
    return table;
}

template <typename Table>
std::string names_of(const Table &table) {
    std::string names;
    for (const auto &[name, entry] : table) names += (names.empty() ? "" : ", ") + name;
    return names;
}

}  // namespace

bool is_filter(const std::string &name) { return name == "default" || name == "d" || filters().count(name) > 0; }
bool is_test(const std::string &name) {
    return name == "defined" || name == "undefined" || tests().count(name) > 0;
}

value apply_filter(const std::string &name, const value &input, const arguments &given, budget &budget) {
    budget.spend(1);
    if (name == "default" || name == "d") {
        given.check(name, 2, {"default_value", "boolean"});
        const value fallback = given.get(0, "default_value");
        const bool replaces = input->is_undefined() || (flag(given.get(1, "boolean")) && !truth(input));
        return !replaces ? input : fallback ? fallback : text("");
    }
    const auto entry = filters().find(name);
    if (entry == filters().end()) {
        throw failure("there is no filter '" + name + "'; known are default, " + names_of(filters()));
    }
    return entry->second(input, given, budget);
}

bool apply_test(const std::string &name, const value &input, const arguments &given, budget &budget) {
    budget.spend(1);
    if (name == "defined" || name == "undefined") {
        given.check(name, 0);
        return input->is_undefined() == (name == "undefined");
    }
    const auto entry = tests().find(name);
    if (entry == tests().end()) {
        throw failure("there is no test '" + name + "'; known are defined, undefined, " + names_of(tests()));
    }
    return entry->second(input, given, budget);
}

bool has_method(const value &object, const std::string &name) {
    if (is_text(object)) return is_string_method(name);
    if (is_list(object)) return name == "index" || name == "count";
    if (is_object(object)) {
        const auto *members = jinja::cast_val<jinja::value_object>(object);
        return members->has_builtins && (name == "get" || name == "keys" || name == "values" || name == "items");
    }
    return false;
}

value call_method(const value &object, const std::string &name, const arguments &given, budget &budget) {
    if (is_text(object)) return call_string_method(string_of(object), name, given, budget);
    const auto &a = given.positional;
    if (is_list(object)) {
        given.check(name, 1);
        if (a.empty()) throw failure(name + " needs a value to look for");
        int64_t count = 0;
        for (size_t index = 0; index < object->val_arr.size(); ++index) {
            if (!equal(object->val_arr[index], a[0], budget)) continue;
            if (name == "index") return integer(int64_t(index));
            ++count;
        }
        if (name == "index") throw failure("index: " + repr(a[0], budget) + " is not in the list");
        return integer(count);
    }
    if (name == "get") {
        given.check(name, 2, {"default"});
        if (a.empty() || is_list(a[0]) || is_object(a[0])) throw failure("get needs a key");
        value fallback = given.get(1, "default");
        if (!fallback) fallback = jinja::mk_val<jinja::value_none>();
        return object->at(a[0], fallback);
    }
    given.check(name, 0);
    if (name == "items") return items_filter(object, given, budget);
    budget.spend(1 + size_of(object));
    std::vector<value> result;
    for (const auto &member : object->val_obj) result.push_back(name == "keys" ? member.first : member.second);
    return list(std::move(result));
}

}  // namespace assay
