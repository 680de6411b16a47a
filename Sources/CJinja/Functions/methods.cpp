#include "functions.h"

namespace assay {

bool has_method(const value &object, const std::string &name) {
    if (is_text(object)) return is_string_method(name);
    if (is_list(object)) return name == "index" || name == "count";
    if (is_object(object)) {
        const auto *members = jinja::cast_val<jinja::value_object>(object);
        return members->has_builtins && (name == "get" || name == "keys" || name == "values" || name == "items");
    }
    return false;
}

bool is_method(const std::string &name) {
    return is_string_method(name) || name == "index" || name == "count" || name == "get" || name == "keys" ||
           name == "values" || name == "items";
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
