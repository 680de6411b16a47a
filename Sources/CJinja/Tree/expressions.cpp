#include "expressions.h"

#include "statements.h"

namespace assay {

namespace {

arguments evaluate_all(const arguments_of &given, frame &in) {
    arguments result;
    for (const auto &[name, expression] : given) {
        if (name.empty()) {
            result.positional.push_back(expression->evaluate(in));
        } else {
            result.named.emplace_back(name, expression->evaluate(in));
        }
    }
    return result;
}

}  // namespace

value name_expression::run(frame &in) const {
    value found = in.names.find(name);
    return found ? found : undefined("'" + name + "' is undefined");
}

value list_expression::run(frame &in) const {
    in.limits.spend_container();
    std::vector<value> values;
    for (const auto &item : items) values.push_back(item->evaluate(in));
    if (is_tuple) return jinja::mk_val<jinja::value_tuple>(std::move(values));
    return list(std::move(values));
}

value object_expression::run(frame &in) const {
    in.limits.spend_container();
    auto result = jinja::mk_val<jinja::value_object>();
    for (const auto &[key, v] : members) {
        const value name = key->need(in);
        if (is_list(name) || is_object(name)) throw failure(kind_of(name) + " can't be a key", position);
        result->insert(name, v->evaluate(in));
    }
    return result;
}

value member::of(const value &v) const {
    value missing = undefined(kind_of(v) + " has no member '" + name + "'");
    return is_object(v) ? v->at(name, missing) : missing;
}

value member::run(frame &in) const {
    const value v = object->need(in);
    if (v->is_undefined()) fail_undefined(v);
    if (has_method(v, name)) throw failure("'" + name + "' is a method; call it with ()", position);
    return of(v);
}

value element::run(frame &in) const {
    const value v = object->need(in);
    if (v->is_undefined()) fail_undefined(v);
    const value k = key->need(in);
    if (is_object(v)) {
        if (is_list(k) || is_object(k)) throw failure(kind_of(k) + " can't be a key");
        value missing = undefined("the object has no member " + repr(k, in.limits));
        return v->at(k, missing);
    }
    if (!is_list(v) && !is_text(v)) throw failure("can't take an element of " + kind_of(v));
    if (!is_number(k) || jinja::is_val<jinja::value_float>(k)) {
        return undefined(kind_of(v) + " has no element " + repr(k, in.limits));
    }
    in.limits.spend(is_text(v) ? size_of(v) / 8 : 0);
    const std::string content = is_text(v) ? string_of(v) : "";
    const auto points = code_points(content);
    const int64_t size = is_text(v) ? int64_t(points.size()) : int64_t(size_of(v));
    const int64_t index = k->val_int < 0 ? k->val_int + size : k->val_int;
    if (index < 0 || index >= size) {
        return undefined(kind_of(v) + " of length " + std::to_string(size) + " has no element " +
                         std::to_string(k->val_int));
    }
    return is_text(v) ? text(std::string(points[size_t(index)])) : v->val_arr[size_t(index)];
}

value slice_of::run(frame &in) const {
    auto bound = [&](const expression_ptr &e) { return e ? e->need(in) : nullptr; };
    const value v = object->need(in);
    return slice(v, bound(start), bound(stop), bound(step), in.limits);
}

value function_call::run(frame &in) const {
    const auto [macro, home] = in.names.find_macro(name);
    if (macro) return macro->call(evaluate_all(given, in), *home, in.limits);
    if (name == "raise_exception" && in.limits.lenient) {
        const auto arguments = evaluate_all(given, in);
        throw failure(arguments.positional.empty() ? "the template refuses this" : str(arguments.positional[0], in.limits));
    }
    if (in.names.find(name)) throw failure("'" + name + "' is a value, not a function");
    if (!is_function(name)) {
        throw failure("there is no function '" + name + "'; known are range, dict, namespace", nowhere, true);
    }
    return call_function(name, evaluate_all(given, in), in.limits);
}

value method_call::run(frame &in) const {
    const value v = object->need(in);
    if (in.limits.probes && v->is_undefined() && is_method(name)) return v;
    if (!has_method(v, name)) {
        throw failure(kind_of(v) + " has no method '" + name + "' that templates can call", nowhere, !is_method(name));
    }
    return call_method(v, name, evaluate_all(given, in), in.limits);
}

value filtered::run(frame &in) const {
    const bool accepts_undefined = name == "default" || name == "d";
    const value input = accepts_undefined ? operand->evaluate(in) : operand->need(in);
    return apply_filter(name, input, evaluate_all(given, in), in.limits);
}

value tested::run(frame &in) const {
    const bool accepts_undefined = name == "defined" || name == "undefined";
    const value input = accepts_undefined ? operand->evaluate(in) : operand->need(in);
    return boolean(apply_test(name, input, evaluate_all(given, in), in.limits) != is_negated);
}

}  // namespace assay
