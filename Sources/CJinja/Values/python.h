#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../Parsing/failure.h"
#include "../Parsing/foreign.h"

// What Python's operators and built-in functions do, on llama.cpp's values.
namespace assay {

using jinja::value;

// Values nested more deeply than this are refused, because they are read by recursion.
constexpr size_t max_depth = 100;

// What one rendering may use; every function that takes it throws failure when it is used up.
struct budget {
    uint64_t steps;
    size_t bytes;
    // Lists and objects written in the template: bounds how deeply values can nest.
    size_t containers = 10000;
    // Calls of macros within each other.
    size_t calls = 50;
    // Undefined values are empty and false, as in chat templates, instead of errors.
    bool lenient = false;
    // Variables are unknown: what depends on them is undefined, and only final failures are thrown.
    bool probes = false;

    void spend(size_t work);
    // Before a string of `size` bytes is made.
    void spend_text(size_t size);
    void spend_container();
    // Before a text of `wanted` bytes is searched in one of `size` bytes.
    void spend_search(size_t size, size_t wanted);
};

bool is_text(const value &v);
bool is_list(const value &v);
bool is_object(const value &v);
// int, float or bool.
bool is_number(const value &v);

value text(std::string content);
value integer(int64_t number);
value boolean(bool flag);
// An error instead of infinity or NaN.
value floating(double number);
value list(std::vector<value> items);
// `hint` says what is undefined and becomes the error's message.
value undefined(std::string hint);

// "a string", "an integer", ... for messages.
std::string kind_of(const value &v);
// The number of bytes of a string, elements of a list, members of an object; else 0.
size_t size_of(const value &v);
std::string string_of(const value &v);

// The code points of valid UTF-8; a stray byte counts as one.
std::vector<std::string_view> code_points(std::string_view content);
// They are views: of a string that ends before them they would be freed memory.
std::vector<std::string_view> code_points(std::string &&content) = delete;
// How many there are.
size_t count_code_points(std::string_view content);

// The same undefined value, but empty and false from now on.
value silenced(const value &undefined);
bool is_silent(const value &v);

// Throws the error of an undefined value.
[[noreturn]] void fail_undefined(const value &v);

bool truth(const value &v);
bool equal(const value &a, const value &b, budget &budget);
// Negative, 0 or positive; an error where Python raises TypeError.
int compare(const value &a, const value &b, budget &budget);
bool contains(const value &container, const value &element, budget &budget);

// str(), repr() and JSON; an error for undefined values and for what is nested more than 100 deep.
std::string str(const value &v, budget &budget);
std::string repr(const value &v, budget &budget);
std::string json(const value &v, budget &budget);

// What a for loop runs over: elements, keys, code points.
std::vector<value> items_of(const value &v, budget &budget);

}  // namespace assay
