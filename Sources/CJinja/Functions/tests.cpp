#include <functional>
#include <map>

#include "../Values/strings.h"
#include "functions.h"

namespace assay {

namespace {

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
        plain("lower", [](const value &v) {
            return is_text(v) && lower(string_of(v)) == string_of(v) && upper(string_of(v)) != string_of(v);
        });
        plain("upper", [](const value &v) {
            return is_text(v) && upper(string_of(v)) == string_of(v) && lower(string_of(v)) != string_of(v);
        });
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

}  // namespace

bool is_test(const std::string &name) {
    return name == "defined" || name == "undefined" || tests().count(name) > 0;
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

}  // namespace assay
