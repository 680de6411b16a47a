#include <algorithm>
#include <numeric>

#include "../Values/strings.h"
#include "functions.h"

namespace assay {

namespace {

void need_list(const value &v, const char *name) {
    if (!is_list(v)) throw failure(std::string(name) + " needs a list, not " + kind_of(v));
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

value extreme(const value &input, const arguments &given, budget &budget, bool wants_least) {
    given.check(wants_least ? "min" : "max", 2, {"case_sensitive", "attribute"});
    const auto items = items_of(input, budget);
    if (items.empty()) return jinja::mk_val<jinja::value_undefined>("the sequence is empty");
    const order by{given.get(1, "attribute"), given.is_on(0, "case_sensitive"), budget};
    value best = items[0];
    for (const auto &item : items) {
        if (wants_least ? by.less(item, best) : by.less(best, item)) best = item;
    }
    return best;
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

}  // namespace

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

value first_filter(const value &input, const arguments &given, budget &budget) {
    given.check("first", 0);
    const auto items = items_of(input, budget);
    return items.empty() ? jinja::mk_val<jinja::value_undefined>("first: the sequence is empty") : items.front();
}

value last_filter(const value &input, const arguments &given, budget &budget) {
    given.check("last", 0);
    const auto items = items_of(input, budget);
    return items.empty() ? jinja::mk_val<jinja::value_undefined>("last: the sequence is empty") : items.back();
}

value reverse_filter(const value &input, const arguments &given, budget &budget) {
    given.check("reverse", 0);
    auto items = items_of(input, budget);
    std::reverse(items.begin(), items.end());
    if (is_text(input)) return text(join(items, "", false, budget));
    return list(std::move(items));
}

value sort_filter(const value &input, const arguments &given, budget &budget) {
    given.check("sort", 3, {"reverse", "case_sensitive", "attribute"});
    auto items = items_of(input, budget);
    const order by{given.get(2, "attribute"), given.is_on(1, "case_sensitive"), budget};
    const bool descends = given.is_on(0, "reverse");
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

value unique_filter(const value &input, const arguments &given, budget &budget) {
    given.check("unique", 2, {"case_sensitive", "attribute"});
    const order by{given.get(1, "attribute"), given.is_on(0, "case_sensitive"), budget};
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

value sum_filter(const value &input, const arguments &given, budget &budget) {
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

value minimum_filter(const value &input, const arguments &given, budget &budget) {
    return extreme(input, given, budget, true);
}

value maximum_filter(const value &input, const arguments &given, budget &budget) {
    return extreme(input, given, budget, false);
}

value select_filter(const value &input, const arguments &given, budget &budget) {
    return pick(input, given, budget, false, true);
}

value reject_filter(const value &input, const arguments &given, budget &budget) {
    return pick(input, given, budget, false, false);
}

value selectattr_filter(const value &input, const arguments &given, budget &budget) {
    return pick(input, given, budget, true, true);
}

value rejectattr_filter(const value &input, const arguments &given, budget &budget) {
    return pick(input, given, budget, true, false);
}

}  // namespace assay
