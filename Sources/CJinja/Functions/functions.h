#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../Values/python.h"

// Filters, tests, methods and global functions, with the meaning they have in Python's Jinja.
namespace assay {

struct arguments {
    std::vector<value> positional;
    std::vector<std::pair<std::string, value>> named;

    // The argument at `index` or of that name; null if it was not given.
    value get(size_t index, const char *name) const;
    // Whether that argument was given and is true.
    bool is_on(size_t index, const char *name) const;
    // An error if there are more than `most` positional arguments or names other than those.
    void check(const std::string &function, size_t most, std::initializer_list<const char *> names = {}) const;
};

value apply_filter(const std::string &name, const value &input, const arguments &given, budget &budget);
bool apply_test(const std::string &name, const value &input, const arguments &given, budget &budget);
bool is_filter(const std::string &name);
bool is_test(const std::string &name);

// Whether values of this kind have such a method.
bool has_method(const value &object, const std::string &name);
// Whether values of any kind have such a method.
bool is_method(const std::string &name);
value call_method(const value &object, const std::string &name, const arguments &given, budget &budget);

bool is_string_method(const std::string &name);
value call_string_method(const std::string &content, const std::string &name, const arguments &given, budget &budget);

bool is_function(const std::string &name);
value call_function(const std::string &name, const arguments &given, budget &budget);

// Names of a table, for messages.
template <typename Table>
std::string names_of(const Table &table) {
    std::string names;
    for (const auto &[name, entry] : table) names += (names.empty() ? "" : ", ") + name;
    return names;
}

// What a filter's attribute names, as "a", "a.b" or an integer.
value attribute_of(const value &item, const value &attribute);

// Filters on sequences.
value join_filter(const value &input, const arguments &given, budget &budget);
value first_filter(const value &input, const arguments &given, budget &budget);
value last_filter(const value &input, const arguments &given, budget &budget);
value reverse_filter(const value &input, const arguments &given, budget &budget);
value sort_filter(const value &input, const arguments &given, budget &budget);
value minimum_filter(const value &input, const arguments &given, budget &budget);
value maximum_filter(const value &input, const arguments &given, budget &budget);
value unique_filter(const value &input, const arguments &given, budget &budget);
value sum_filter(const value &input, const arguments &given, budget &budget);
value items_filter(const value &input, const arguments &given, budget &budget);
value map_filter(const value &input, const arguments &given, budget &budget);
value select_filter(const value &input, const arguments &given, budget &budget);
value reject_filter(const value &input, const arguments &given, budget &budget);
value selectattr_filter(const value &input, const arguments &given, budget &budget);
value rejectattr_filter(const value &input, const arguments &given, budget &budget);

// a[start:stop:step] on a list or the code points of a string; null stands for an omitted bound.
value slice(const value &object, const value &start, const value &stop, const value &step, budget &budget);

}  // namespace assay
