#include "python.h"

#include <algorithm>
#include <cmath>

namespace assay {

namespace {

double number_of(const value &v) { return jinja::is_val<jinja::value_float>(v) ? v->val_flt : double(v->val_int); }

bool equal_at(const value &a, const value &b, budget &budget, size_t depth) {
    if (depth > max_depth) throw failure("the values compared are nested more than 100 deep");
    budget.spend(1 + (is_text(a) ? size_of(a) / 64 : 0));
    if (is_silent(a) || is_silent(b)) return a->is_undefined() && b->is_undefined();
    if (a->is_undefined()) fail_undefined(a);
    if (b->is_undefined()) fail_undefined(b);
    if (is_number(a) && is_number(b)) {
        const bool exact = !jinja::is_val<jinja::value_float>(a) && !jinja::is_val<jinja::value_float>(b);
        return exact ? a->val_int == b->val_int : number_of(a) == number_of(b);
    }
    if (is_text(a) && is_text(b)) return string_of(a) == string_of(b);
    if (a->is_none() || b->is_none()) return a->is_none() && b->is_none();
    if (is_list(a) && is_list(b)) {
        if (jinja::is_val<jinja::value_tuple>(a) != jinja::is_val<jinja::value_tuple>(b)) return false;
        return std::equal(
            a->val_arr.begin(), a->val_arr.end(), b->val_arr.begin(), b->val_arr.end(),
            [&](const value &x, const value &y) { return equal_at(x, y, budget, depth + 1); });
    }
    if (is_object(a) && is_object(b)) {
        if (a->val_obj.size() != b->val_obj.size()) return false;
        budget.spend(a->val_obj.size());
        value missing;
        return std::all_of(a->val_obj.begin(), a->val_obj.end(), [&](const auto &member) {
            const value &other = b->at(member.first, missing);
            return other && equal_at(member.second, other, budget, depth + 1);
        });
    }
    return false;
}

}  // namespace

namespace {

// Before the hint of a value that may be used.
constexpr char silent_mark = '\1';

const std::string &hint_of(const value &v) { return jinja::cast_val<jinja::value_undefined>(v)->hint; }

}  // namespace

value silenced(const value &v) { return is_silent(v) ? v : undefined(silent_mark + hint_of(v)); }

bool is_silent(const value &v) { return v->is_undefined() && hint_of(v).rfind(silent_mark, 0) == 0; }

void fail_undefined(const value &v) {
    const std::string hint = is_silent(v) ? hint_of(v).substr(1) : hint_of(v);
    throw failure(hint.empty() ? "the value is undefined" : hint);
}

void budget::spend(size_t work) {
    if (work > steps) throw failure("the template takes too much work; check its loops", nowhere, true);
    steps -= work;
}

void budget::spend_text(size_t size) {
    if (size > bytes) {
        throw failure("the template makes a text of more than " + std::to_string(bytes) + " bytes", nowhere, true);
    }
    spend(size / 64);
}

void budget::spend_search(size_t size, size_t wanted) { spend((size / 64 + 1) * (wanted / 64 + 1)); }

void budget::spend_container() {
    spend(1);
    if (containers == 0) throw failure("the template makes more than 10000 lists and objects", nowhere, true);
    --containers;
}

bool is_text(const value &v) { return jinja::is_val<jinja::value_string>(v); }
bool is_list(const value &v) { return jinja::is_val<jinja::value_array>(v); }
bool is_object(const value &v) { return jinja::is_val<jinja::value_object>(v); }
bool is_number(const value &v) { return v->is_numeric(); }

value text(std::string content) { return jinja::mk_val<jinja::value_string>(std::move(content)); }
value integer(int64_t number) { return jinja::mk_val<jinja::value_int>(number); }
value boolean(bool flag) { return jinja::mk_val<jinja::value_bool>(flag); }
value floating(double number) {
    if (!std::isfinite(number)) throw failure("the result is not a finite number");
    // llama.cpp keeps an integer beside every float; the conversion is undefined outside of its range.
    if (std::abs(number) < 9e18) return jinja::mk_val<jinja::value_float>(number);
    auto result = jinja::mk_val<jinja::value_float>(0.0);
    result->val_flt = number;
    return result;
}
value undefined(std::string hint) { return jinja::mk_val<jinja::value_undefined>(std::move(hint)); }
value list(std::vector<value> items) { return jinja::mk_val<jinja::value_array>(std::move(items)); }

std::string kind_of(const value &v) {
    if (v->is_undefined()) return "an undefined value";
    if (v->is_none()) return "none";
    if (jinja::is_val<jinja::value_bool>(v)) return "a boolean";
    if (jinja::is_val<jinja::value_int>(v)) return "an integer";
    if (jinja::is_val<jinja::value_float>(v)) return "a float";
    if (is_text(v)) return "a string";
    if (jinja::is_val<jinja::value_tuple>(v)) return "a tuple";
    if (is_list(v)) return "a list";
    if (is_object(v)) return "an object";
    return "a function";
}

size_t size_of(const value &v) {
    if (is_text(v)) return v->val_str.length();
    if (is_list(v)) return v->val_arr.size();
    if (is_object(v)) return v->val_obj.size();
    return 0;
}

std::string string_of(const value &v) { return v->val_str.str(); }

std::vector<std::string_view> code_points(std::string_view content) {
    std::vector<std::string_view> result;
    for (size_t at = 0; at < content.size();) {
        size_t end = at + 1;
        while (end < content.size() && (static_cast<unsigned char>(content[end]) & 0xC0) == 0x80) ++end;
        result.push_back(content.substr(at, end - at));
        at = end;
    }
    return result;
}

size_t count_code_points(std::string_view content) { return code_points(content).size(); }

bool truth(const value &v) {
    if (is_silent(v)) return false;
    if (v->is_undefined()) fail_undefined(v);
    if (v->is_none()) return false;
    if (jinja::is_val<jinja::value_float>(v)) return v->val_flt != 0;
    if (is_number(v)) return v->val_int != 0;
    if (is_text(v) || is_list(v) || is_object(v)) return size_of(v) > 0;
    return true;
}

bool equal(const value &a, const value &b, budget &budget) { return equal_at(a, b, budget, 0); }

int compare(const value &a, const value &b, budget &budget) {
    budget.spend(1 + (is_text(a) ? size_of(a) / 64 : 0));
    if (is_number(a) && is_number(b)) {
        if (!jinja::is_val<jinja::value_float>(a) && !jinja::is_val<jinja::value_float>(b)) {
            return a->val_int < b->val_int ? -1 : a->val_int > b->val_int;
        }
        const double x = number_of(a), y = number_of(b);
        return x < y ? -1 : x > y;
    }
    // Bytes of UTF-8 sort as code points do.
    if (is_text(a) && is_text(b)) return string_of(a).compare(string_of(b));
    if (is_list(a) && is_list(b)) {
        for (size_t index = 0; index < std::min(size_of(a), size_of(b)); ++index) {
            if (!equal(a->val_arr[index], b->val_arr[index], budget)) {
                return compare(a->val_arr[index], b->val_arr[index], budget);
            }
        }
        return size_of(a) < size_of(b) ? -1 : size_of(a) > size_of(b);
    }
    throw failure("can't compare " + kind_of(a) + " with " + kind_of(b));
}

bool contains(const value &container, const value &element, budget &budget) {
    if (is_text(container)) {
        if (!is_text(element)) throw failure("can't look for " + kind_of(element) + " in a string");
        budget.spend_search(size_of(container), size_of(element));
        return string_of(container).find(string_of(element)) != std::string::npos;
    }
    if (is_list(container)) {
        budget.spend(1 + size_of(container));
        return std::any_of(container->val_arr.begin(), container->val_arr.end(), [&](const value &item) {
            return equal(element, item, budget);
        });
    }
    if (is_object(container)) {
        if (is_list(element) || is_object(element)) throw failure(kind_of(element) + " can't be a key");
        return container->has_key(element);
    }
    throw failure("can't look for a value in " + kind_of(container));
}

std::vector<value> items_of(const value &v, budget &budget) {
    if (is_silent(v)) return {};
    if (v->is_undefined()) fail_undefined(v);
    budget.spend(1 + size_of(v));
    if (is_list(v)) return v->val_arr;
    std::vector<value> result;
    if (is_object(v)) {
        for (const auto &member : v->val_obj) result.push_back(member.first);
    } else if (is_text(v)) {
        const std::string content = string_of(v);
        for (const auto point : code_points(content)) result.push_back(text(std::string(point)));
    } else {
        throw failure("can't loop over " + kind_of(v));
    }
    return result;
}

}  // namespace assay
