#include "statements.h"

namespace assay {

namespace {

void unpack(const std::vector<std::string> &targets, const value &v, frame &in) {
    if (targets.size() == 1) {
        in.names.names[targets[0]] = v;
        return;
    }
    const auto items = items_of(v, in.limits);
    if (items.size() != targets.size()) {
        throw failure("can't unpack " + std::to_string(items.size()) + " values into " +
                      std::to_string(targets.size()) + " names");
    }
    for (size_t index = 0; index < items.size(); ++index) in.names.names[targets[index]] = items[index];
}

// A namespace within itself would never be freed.
bool holds_namespace(const value &v, size_t depth, budget &budget) {
    budget.spend(1);
    if (depth > 100) return true;
    for (const auto &item : v->val_arr) {
        if (holds_namespace(item, depth + 1, budget)) return true;
    }
    if (!is_object(v)) return false;
    if (!jinja::cast_val<jinja::value_object>(v)->has_builtins) return true;
    for (const auto &entry : v->val_obj) {
        if (holds_namespace(entry.second, depth + 1, budget)) return true;
    }
    return false;
}

}  // namespace

void print_statement::run(frame &in) const {
    const value v = what->need(in);
    if (in.out.keeps_values) {
        in.limits.spend(1);
        in.out.values.push_back(v);
        return;
    }
    in.out.add(str(v, in.limits), in.limits);
}

void for_block::run(frame &in) const {
    const value sequence = iterable->need(in);
    auto items = items_of(sequence, in.limits);
    // Of an unknown sequence one element is tried.
    if (in.limits.probes && items.empty()) items.push_back(silenced(undefined("an unknown element")));
    if (condition && !in.limits.probes) {
        std::vector<value> kept;
        for (const auto &item : items) {
            scope inner{&in.names, {}};
            frame within{inner, in.out, in.limits};
            unpack(targets, item, within);
            if (truth(condition->need(within))) kept.push_back(item);
        }
        items = std::move(kept);
    }
    if (items.empty()) run_all(otherwise, in);
    for (size_t index = 0; index < items.size(); ++index) {
        in.limits.spend(10);
        // A name set in the body is gone in the next round, as in Jinja.
        scope inner{&in.names, {}};
        frame within{inner, in.out, in.limits};
        auto loop = jinja::mk_val<jinja::value_object>();
        loop->has_builtins = false;
        loop->insert("index", integer(int64_t(index) + 1));
        loop->insert("index0", integer(int64_t(index)));
        loop->insert("revindex", integer(int64_t(items.size() - index)));
        loop->insert("revindex0", integer(int64_t(items.size() - index) - 1));
        loop->insert("first", boolean(index == 0));
        loop->insert("last", boolean(index + 1 == items.size()));
        loop->insert("length", integer(int64_t(items.size())));
        loop->insert("previtem", index > 0 ? items[index - 1] : undefined("there is no previous item"));
        loop->insert(
            "nextitem", index + 1 < items.size() ? items[index + 1] : undefined("there is no next item"));
        inner.names["loop"] = loop;
        unpack(targets, items[index], within);
        run_all(body, within);
    }
}

value macro_block::call(const arguments &given, const scope &home, budget &limits) const {
    if (limits.calls == 0) throw failure("macros call each other more than 50 deep");
    --limits.calls;
    scope inner{&home, {}};
    output out;
    frame within{inner, out, limits};
    if (given.positional.size() > parameters.size()) throw failure("the macro '" + name + "' takes fewer arguments");
    for (const auto &[key, v] : given.named) {
        bool known = false;
        for (const auto &parameter : parameters) known = known || parameter.first == key;
        if (!known) throw failure("the macro '" + name + "' has no argument '" + key + "'");
    }
    for (size_t index = 0; index < parameters.size(); ++index) {
        const auto &[parameter, fallback] = parameters[index];
        value v = given.get(index, parameter.c_str());
        if (!v) v = fallback ? fallback->evaluate(within) : undefined("the argument '" + parameter + "' is not given");
        inner.names[parameter] = v;
    }
    run_all(body, within);
    ++limits.calls;
    return text(std::move(out.text));
}

void set_block::run(frame &in) const {
    const value v = assigned ? assigned->evaluate(in) : captured(in);
    if (!object) return unpack(targets, v, in);
    value target = object->need(in);
    if (!is_object(target) || jinja::cast_val<jinja::value_object>(target)->has_builtins) {
        throw failure("only members of a namespace can be set, not of " + kind_of(target));
    }
    if (v->is_undefined() || holds_namespace(v, 0, in.limits)) {
        throw failure("a namespace's member can't be undefined or hold a namespace");
    }
    jinja::cast_val<jinja::value_object>(target)->insert(name, v);
}

value set_block::captured(frame &in) const {
    output out;
    frame within{in.names, out, in.limits};
    run_all(body, within);
    return text(std::move(out.text));
}

}  // namespace assay
