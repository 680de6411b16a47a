#include "functions.h"

namespace assay {

value arguments::get(size_t index, const char *name) const {
    if (index < positional.size()) return positional[index];
    for (const auto &[key, v] : named) {
        if (key == name) return v;
    }
    return nullptr;
}

bool arguments::is_on(size_t index, const char *name) const {
    const value v = this->get(index, name);
    return v && truth(v);
}

void arguments::check(const std::string &function, size_t most, std::initializer_list<const char *> names) const {
    if (positional.size() > most) {
        throw failure(function + " takes at most " + std::to_string(most) + " arguments, not " +
                      std::to_string(positional.size()));
    }
    for (const auto &[key, v] : named) {
        bool known = false;
        for (const char *name : names) known = known || key == name;
        if (!known) throw failure(function + " has no argument '" + key + "'");
    }
}

namespace {

int64_t integer_of(const value &v, const std::string &function) {
    if (!jinja::is_val<jinja::value_int>(v)) throw failure(function + " needs an integer, not " + kind_of(v));
    return v->val_int;
}

value range(const arguments &given, budget &budget) {
    given.check("range", 3);
    const auto &numbers = given.positional;
    if (numbers.empty()) throw failure("range needs at least one argument");
    const int64_t start = numbers.size() > 1 ? integer_of(numbers[0], "range") : 0;
    const int64_t stop = integer_of(numbers[numbers.size() > 1 ? 1 : 0], "range");
    const int64_t step = numbers.size() > 2 ? integer_of(numbers[2], "range") : 1;
    if (step == 0) throw failure("range's step must not be 0");
    std::vector<value> result;
    for (int64_t at = start; step > 0 ? at < stop : at > stop;) {
        if (result.size() >= 100000) throw failure("range gives more than 100000 numbers");
        budget.spend(1);
        result.push_back(integer(at));
        if (__builtin_add_overflow(at, step, &at)) break;
    }
    return list(std::move(result));
}

value object_with(const std::string &function, const arguments &given, bool is_namespace, budget &budget) {
    given.positional.empty() ? void() : given.check(function, 1);
    auto result = jinja::mk_val<jinja::value_object>();
    // llama.cpp's mark for objects whose members hide no methods; set may change only these.
    result->has_builtins = !is_namespace;
    budget.spend_container();
    if (!given.positional.empty()) {
        const value &first = given.positional[0];
        if (!is_object(first)) throw failure(function + " takes an object, not " + kind_of(first));
        budget.spend(size_of(first));
        for (const auto &[key, v] : first->val_obj) result->insert(key, v);
    }
    for (const auto &[key, v] : given.named) result->insert(key, v);
    return result;
}

}  // namespace

bool is_function(const std::string &name) { return name == "range" || name == "dict" || name == "namespace"; }

value call_function(const std::string &name, const arguments &given, budget &budget) {
    if (name == "range") return range(given, budget);
    return object_with(name, given, name == "namespace", budget);
}

value slice(const value &object, const value &start, const value &stop, const value &step, budget &budget) {
    if (!is_list(object) && !is_text(object)) throw failure("can't slice " + kind_of(object));
    budget.spend(1 + size_of(object));
    const std::string content = is_text(object) ? string_of(object) : "";
    const auto points = code_points(content);
    const int64_t size = is_text(object) ? int64_t(points.size()) : int64_t(size_of(object));

    const int64_t by = step ? integer_of(step, "a slice") : 1;
    if (by == 0) throw failure("a slice's step must not be 0");
    // As CPython's PySlice_AdjustIndices.
    auto bound = [&](const value &given, int64_t fallback) {
        if (!given || given->is_none()) return fallback;
        int64_t index = integer_of(given, "a slice");
        if (index < 0) {
            index += size;
            return index < 0 ? (by < 0 ? int64_t(-1) : int64_t(0)) : index;
        }
        return index >= size ? (by < 0 ? size - 1 : size) : index;
    };
    const int64_t from = bound(start, by < 0 ? size - 1 : 0);
    const int64_t to = bound(stop, by < 0 ? -1 : size);

    std::string characters;
    std::vector<value> items;
    for (int64_t at = from; by > 0 ? at < to : at > to;) {
        if (is_text(object)) {
            characters += points[size_t(at)];
        } else {
            items.push_back(object->val_arr[size_t(at)]);
        }
        if (__builtin_add_overflow(at, by, &at)) break;
    }
    if (is_text(object)) return text(characters);
    if (jinja::is_val<jinja::value_tuple>(object)) return jinja::mk_val<jinja::value_tuple>(std::move(items));
    return list(std::move(items));
}

}  // namespace assay
