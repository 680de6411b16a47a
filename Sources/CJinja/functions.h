#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python.h"

// Filters, tests, methods and global functions, with the meaning they have in Python's Jinja.
namespace assay {

struct arguments {
    std::vector<value> positional;
    std::vector<std::pair<std::string, value>> named;

    // The argument at `index` or of that name; null if it was not given.
    value get(size_t index, const char *name) const;
    // An error if there are more than `most` positional arguments or names other than those.
    void check(const std::string &function, size_t most, std::initializer_list<const char *> names = {}) const;
};

value apply_filter(const std::string &name, const value &input, const arguments &given, budget &budget);
bool apply_test(const std::string &name, const value &input, const arguments &given, budget &budget);
bool is_filter(const std::string &name);
bool is_test(const std::string &name);

// Whether values of this kind have such a method.
bool has_method(const value &object, const std::string &name);
value call_method(const value &object, const std::string &name, const arguments &given, budget &budget);

bool is_function(const std::string &name);
value call_function(const std::string &name, const arguments &given, budget &budget);

// a[start:stop:step] on a list or the code points of a string; null stands for an omitted bound.
value slice(const value &object, const value &start, const value &stop, const value &step, budget &budget);

}  // namespace assay
