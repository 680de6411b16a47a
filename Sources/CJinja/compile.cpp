#include <cmath>
#include <cstring>

#include "functions.h"
#include "strings.h"
#include "tree.h"

namespace assay {

namespace {

using arguments_of = std::vector<std::pair<std::string, expression_ptr>>;

expression_ptr compile_expression(const jinja::statement *node);
using positions = std::unordered_set<size_t>;
statements compile_all(const jinja::statements &nodes, const positions &texts);

value undefined(std::string hint) { return jinja::mk_val<jinja::value_undefined>(std::move(hint)); }

template <typename T>
const T *as(const jinja::statement *node) {
    return dynamic_cast<const T *>(node);
}

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

// Expressions

struct literal : expression {
    value constant;
    value run(frame &) const override { return constant; }
};

struct name_expression : expression {
    std::string name;
    value run(frame &in) const override {
        value found = in.names.find(name);
        return found ? found : undefined("'" + name + "' is undefined");
    }
};

struct list_expression : expression {
    std::vector<expression_ptr> items;
    bool is_tuple = false;
    value run(frame &in) const override {
        in.limits.spend_container();
        std::vector<value> values;
        for (const auto &item : items) values.push_back(item->evaluate(in));
        if (is_tuple) return jinja::mk_val<jinja::value_tuple>(std::move(values));
        return list(std::move(values));
    }
};

struct object_expression : expression {
    std::vector<std::pair<expression_ptr, expression_ptr>> members;
    value run(frame &in) const override {
        in.limits.spend_container();
        auto result = jinja::mk_val<jinja::value_object>();
        for (const auto &[key, v] : members) {
            const value name = key->need(in);
            if (is_list(name) || is_object(name)) throw failure(kind_of(name) + " can't be a key", position);
            result->insert(name, v->evaluate(in));
        }
        return result;
    }
};

// object.name
struct member : expression {
    expression_ptr object;
    std::string name;

    value of(const value &v) const {
        value missing = undefined(kind_of(v) + " has no member '" + name + "'");
        return is_object(v) ? v->at(name, missing) : missing;
    }
    value run(frame &in) const override {
        const value v = object->need(in);
        if (has_method(v, name)) throw failure("'" + name + "' is a method; call it with ()", position);
        return of(v);
    }
};

// object[key]
struct element : expression {
    expression_ptr object;
    expression_ptr key;

    value run(frame &in) const override {
        const value v = object->need(in);
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
};

struct slice_of : expression {
    expression_ptr object, start, stop, step;
    value run(frame &in) const override {
        auto bound = [&](const expression_ptr &e) { return e ? e->need(in) : nullptr; };
        const value v = object->need(in);
        return slice(v, bound(start), bound(stop), bound(step), in.limits);
    }
};

struct function_call : expression {
    std::string name;
    arguments_of given;
    value run(frame &in) const override {
        if (in.names.find(name)) throw failure("'" + name + "' is a value, not a function");
        if (!is_function(name)) throw failure("there is no function '" + name + "'; known are range, dict, namespace");
        return call_function(name, evaluate_all(given, in), in.limits);
    }
};

struct method_call : expression {
    expression_ptr object;
    std::string name;
    arguments_of given;
    value run(frame &in) const override {
        const value v = object->need(in);
        if (!has_method(v, name)) {
            throw failure(kind_of(v) + " has no method '" + name + "' that templates can call");
        }
        return call_method(v, name, evaluate_all(given, in), in.limits);
    }
};

struct filtered : expression {
    expression_ptr operand;
    std::string name;
    arguments_of given;
    value run(frame &in) const override {
        const bool accepts_undefined = name == "default" || name == "d";
        const value input = accepts_undefined ? operand->evaluate(in) : operand->need(in);
        return apply_filter(name, input, evaluate_all(given, in), in.limits);
    }
};

struct tested : expression {
    expression_ptr operand;
    std::string name;
    arguments_of given;
    bool is_negated = false;
    value run(frame &in) const override {
        const bool accepts_undefined = name == "defined" || name == "undefined";
        const value input = accepts_undefined ? operand->evaluate(in) : operand->need(in);
        return boolean(apply_test(name, input, evaluate_all(given, in), in.limits) != is_negated);
    }
};

struct conditional : expression {
    expression_ptr condition, then, otherwise;
    value run(frame &in) const override {
        if (truth(condition->need(in))) return then->evaluate(in);
        if (otherwise) return otherwise->evaluate(in);
        return undefined("the condition is false and there is no else");
    }
};

struct logical : expression {
    expression_ptr left, right;
    bool is_and = false;
    value run(frame &in) const override {
        value v = left->need(in);
        return truth(v) == is_and ? right->need(in) : v;
    }
};

struct negation : expression {
    expression_ptr operand;
    value run(frame &in) const override { return boolean(!truth(operand->need(in))); }
};

struct sign : expression {
    expression_ptr operand;
    bool is_minus = false;
    value run(frame &in) const override {
        const value v = operand->need(in);
        if (!is_number(v)) throw failure("can't negate " + kind_of(v));
        if (jinja::is_val<jinja::value_float>(v)) return floating(is_minus ? -v->val_flt : v->val_flt);
        if (v->val_int == INT64_MIN) throw failure("the number does not fit in 64 bits");
        return integer(is_minus ? -v->val_int : v->val_int);
    }
};

value arithmetic(const std::string &sign, const value &a, const value &b) {
    const auto number = [](const value &v) {
        return jinja::is_val<jinja::value_float>(v) ? v->val_flt : double(v->val_int);
    };
    const double x = number(a), y = number(b);
    if (sign == "/") {
        if (y == 0) throw failure("division by zero");
        return floating(x / y);
    }
    if (jinja::is_val<jinja::value_float>(a) || jinja::is_val<jinja::value_float>(b)) {
        if (sign == "+") return floating(x + y);
        if (sign == "-") return floating(x - y);
        if (sign == "*") return floating(x * y);
        if (y == 0) throw failure("modulo by zero");
        const double rest = std::fmod(x, y);
        return floating(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
    }
    const int64_t m = a->val_int, n = b->val_int;
    int64_t result = 0;
    bool overflows = false;
    if (sign == "+") {
        overflows = __builtin_add_overflow(m, n, &result);
    } else if (sign == "-") {
        overflows = __builtin_sub_overflow(m, n, &result);
    } else if (sign == "*") {
        overflows = __builtin_mul_overflow(m, n, &result);
    } else {
        if (n == 0) throw failure("modulo by zero");
        const int64_t rest = n == -1 ? 0 : m % n;
        result = rest != 0 && (rest < 0) != (n < 0) ? rest + n : rest;
    }
    if (overflows) throw failure("the result does not fit in 64 bits");
    return integer(result);
}

struct binary : expression {
    std::string sign;
    expression_ptr left, right;
    // In Jinja ~ binds more tightly than + and -, in llama.cpp's parser equally; for strings it is all the same.
    bool left_is_sum = false;

    value run(frame &in) const override {
        const value a = left->need(in), b = right->need(in);
        if (sign == "==") return boolean(equal(a, b, in.limits));
        if (sign == "!=") return boolean(!equal(a, b, in.limits));
        if (sign == "<") return boolean(compare(a, b, in.limits) < 0);
        if (sign == ">") return boolean(compare(a, b, in.limits) > 0);
        if (sign == "<=") return boolean(compare(a, b, in.limits) <= 0);
        if (sign == ">=") return boolean(compare(a, b, in.limits) >= 0);
        if (sign == "in") return boolean(contains(b, a, in.limits));
        if (sign == "not in") return boolean(!contains(b, a, in.limits));
        if (sign == "~") {
            if (left_is_sum && !is_text(a)) throw failure("put the sum before ~ in a variable with set");
            return joined(str(a, in.limits), str(b, in.limits), in);
        }
        if (is_number(a) && is_number(b)) return arithmetic(sign, a, b);
        if (sign == "+" && is_text(a) && is_text(b)) return joined(string_of(a), string_of(b), in);
        if (sign == "+" && is_list(a) && is_list(b)) {
            in.limits.spend(1 + size_of(a) + size_of(b));
            auto items = a->val_arr;
            items.insert(items.end(), b->val_arr.begin(), b->val_arr.end());
            return list(std::move(items));
        }
        if (sign == "*" && (is_text(a) || is_list(a) || is_text(b) || is_list(b))) return repeated(a, b, in);
        throw failure("can't use " + sign + " on " + kind_of(a) + " and " + kind_of(b));
    }

    value joined(std::string a, const std::string &b, frame &in) const {
        in.limits.spend_text(a.size() + b.size());
        return text(std::move(a += b));
    }

    value repeated(const value &a, const value &b, frame &in) const {
        const bool first = is_text(a) || is_list(a);
        const value &what = first ? a : b, &count = first ? b : a;
        if (!is_number(count) || jinja::is_val<jinja::value_float>(count)) {
            throw failure("can't multiply " + kind_of(what) + " by " + kind_of(count));
        }
        const size_t times = count->val_int > 0 ? size_t(count->val_int) : 0;
        size_t size = 0;
        if (__builtin_mul_overflow(times, size_of(what), &size)) size = SIZE_MAX;
        if (is_text(what)) {
            in.limits.spend_text(size);
            const std::string content = string_of(what);
            std::string result;
            for (size_t index = 0; index < times && !content.empty(); ++index) result += content;
            return text(std::move(result));
        }
        in.limits.spend(size);
        std::vector<value> result;
        for (size_t index = 0; index < times && size > 0; ++index) {
            result.insert(result.end(), what->val_arr.begin(), what->val_arr.end());
        }
        return list(std::move(result));
    }
};

// Statements

struct text_statement : statement {
    std::string content;
    void run(frame &in) const override { in.out.add(content, in.limits); }
};

struct print_statement : statement {
    expression_ptr what;
    void run(frame &in) const override {
        const value v = what->need(in);
        if (in.out.keeps_values) {
            in.limits.spend(1);
            in.out.values.push_back(v);
            return;
        }
        in.out.add(str(v, in.limits), in.limits);
    }
};

struct if_block : statement {
    expression_ptr condition;
    statements then, otherwise;
    void run(frame &in) const override { run_all(truth(condition->need(in)) ? then : otherwise, in); }
};

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

struct for_block : statement {
    std::vector<std::string> targets;
    expression_ptr iterable, condition;
    statements body, otherwise;

    void run(frame &in) const override {
        auto items = items_of(iterable->need(in), in.limits);
        if (condition) {
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
};

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

struct set_block : statement {
    std::vector<std::string> targets;
    // For a namespace's member.
    expression_ptr object;
    std::string name;
    expression_ptr assigned;
    statements body;

    void run(frame &in) const override {
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

    value captured(frame &in) const {
        output out;
        frame within{in.names, out, in.limits};
        run_all(body, within);
        return text(std::move(out.text));
    }
};

// From llama.cpp's nodes

template <typename T>
std::unique_ptr<T> made(const jinja::statement *node) {
    auto result = std::make_unique<T>();
    result->position = node->pos;
    return result;
}

[[noreturn]] void refuse(const std::string &what, const jinja::statement *node) { throw failure(what, node->pos); }

std::string name_of(const jinja::statement *node, const char *role) {
    if (const auto *name = as<jinja::identifier>(node)) return name->val;
    refuse(std::string(role) + " must be a name", node);
}

arguments_of compile_arguments(const jinja::statements &nodes) {
    arguments_of result;
    for (const auto &node : nodes) {
        if (const auto *named = as<jinja::keyword_argument_expression>(node.get())) {
            result.emplace_back(name_of(named->key.get(), "an argument"), compile_expression(named->val.get()));
        } else {
            result.emplace_back("", compile_expression(node.get()));
        }
    }
    return result;
}

// The name and arguments of a filter or test.
std::pair<std::string, arguments_of> compile_application(const jinja::statement *node, const char *role) {
    if (const auto *call = as<jinja::call_expression>(node)) {
        return {name_of(call->callee.get(), role), compile_arguments(call->args)};
    }
    return {name_of(node, role), arguments_of()};
}

std::vector<std::string> names_in(const jinja::statement *node) {
    if (const auto *tuple = as<jinja::tuple_literal>(node)) {
        std::vector<std::string> names;
        for (const auto &item : tuple->val) names.push_back(name_of(item.get(), "what is assigned to"));
        return names;
    }
    return {name_of(node, "what is assigned to")};
}

template <typename T>
expression_ptr constant(const jinja::statement *node, T v) {
    auto result = made<literal>(node);
    result->constant = std::move(v);
    return result;
}

bool is_comparison(const jinja::statement *node) {
    const auto *operation = as<jinja::binary_expression>(node);
    if (!operation) return false;
    static const char *const signs[] = {"==", "!=", "<", ">", "<=", ">=", "in", "not in"};
    for (const char *sign : signs) {
        if (operation->op.value == sign) return true;
    }
    return false;
}

expression_ptr compile_operation(const jinja::binary_expression *node) {
    const std::string &sign = node->op.value;
    if (sign == "and" || sign == "or") {
        auto result = made<logical>(node);
        result->left = compile_expression(node->left.get());
        result->right = compile_expression(node->right.get());
        result->is_and = sign == "and";
        return result;
    }
    if (is_comparison(node) && is_comparison(node->left.get())) {
        refuse("chained comparisons are not supported; join them with and", node);
    }
    auto result = made<binary>(node);
    result->sign = sign;
    result->left = compile_expression(node->left.get());
    result->right = compile_expression(node->right.get());
    if (const auto *left = as<jinja::binary_expression>(node->left.get())) {
        result->left_is_sum = left->op.value == "+" || left->op.value == "-";
    }
    return result;
}

expression_ptr compile_member(const jinja::member_expression *node) {
    if (!node->computed) {
        if (const auto *number = as<jinja::integer_literal>(node->property.get())) {
            auto result = made<element>(node);
            result->object = compile_expression(node->object.get());
            result->key = constant(number, integer(number->val));
            return result;
        }
        auto result = made<member>(node);
        result->object = compile_expression(node->object.get());
        result->name = name_of(node->property.get(), "what follows a dot");
        return result;
    }
    if (const auto *bounds = as<jinja::slice_expression>(node->property.get())) {
        auto result = made<slice_of>(node);
        result->object = compile_expression(node->object.get());
        if (bounds->start_expr) result->start = compile_expression(bounds->start_expr.get());
        if (bounds->stop_expr) result->stop = compile_expression(bounds->stop_expr.get());
        if (bounds->step_expr) result->step = compile_expression(bounds->step_expr.get());
        return result;
    }
    auto result = made<element>(node);
    result->object = compile_expression(node->object.get());
    result->key = compile_expression(node->property.get());
    return result;
}

expression_ptr compile_call(const jinja::call_expression *node) {
    if (const auto *name = as<jinja::identifier>(node->callee.get())) {
        auto result = made<function_call>(node);
        result->name = name->val;
        result->given = compile_arguments(node->args);
        return result;
    }
    const auto *callee = as<jinja::member_expression>(node->callee.get());
    if (!callee || callee->computed) refuse("only functions and methods can be called", node);
    auto result = made<method_call>(node);
    result->object = compile_expression(callee->object.get());
    result->name = name_of(callee->property.get(), "a method");
    result->given = compile_arguments(node->args);
    return result;
}

expression_ptr compile_name(const jinja::identifier *node) {
    const std::string &name = node->val;
    if (name == "true" || name == "True") return constant(node, boolean(true));
    if (name == "false" || name == "False") return constant(node, boolean(false));
    if (name == "none" || name == "None") return constant(node, jinja::mk_val<jinja::value_none>());
    auto result = made<name_expression>(node);
    result->name = name;
    return result;
}

expression_ptr compile_expression(const jinja::statement *node) {
    if (!node) throw failure("an expression is missing");
    if (const auto *n = as<jinja::identifier>(node)) return compile_name(n);
    if (const auto *n = as<jinja::integer_literal>(node)) return constant(node, integer(n->val));
    if (const auto *n = as<jinja::float_literal>(node)) return constant(node, floating(n->val));
    if (const auto *n = as<jinja::string_literal>(node)) return constant(node, text(n->val));
    if (const auto *n = as<jinja::binary_expression>(node)) return compile_operation(n);
    if (const auto *n = as<jinja::member_expression>(node)) return compile_member(n);
    if (const auto *n = as<jinja::call_expression>(node)) return compile_call(n);
    if (const auto *n = as<jinja::array_literal>(node)) {
        auto result = made<list_expression>(node);
        for (const auto &item : n->val) result->items.push_back(compile_expression(item.get()));
        return result;
    }
    if (const auto *n = as<jinja::tuple_literal>(node)) {
        auto result = made<list_expression>(node);
        result->is_tuple = true;
        for (const auto &item : n->val) result->items.push_back(compile_expression(item.get()));
        return result;
    }
    if (const auto *n = as<jinja::object_literal>(node)) {
        auto result = made<object_expression>(node);
        for (const auto &[key, v] : n->val) {
            result->members.emplace_back(compile_expression(key.get()), compile_expression(v.get()));
        }
        return result;
    }
    if (const auto *n = as<jinja::filter_expression>(node)) {
        auto result = made<filtered>(node);
        result->operand = compile_expression(n->operand.get());
        std::tie(result->name, result->given) = compile_application(n->filter.get(), "a filter");
        if (!is_filter(result->name)) refuse("there is no filter '" + result->name + "'", node);
        return result;
    }
    if (const auto *n = as<jinja::test_expression>(node)) {
        auto result = made<tested>(node);
        result->operand = compile_expression(n->operand.get());
        std::tie(result->name, result->given) = compile_application(n->test.get(), "a test");
        if (!is_test(result->name)) refuse("there is no test '" + result->name + "'", node);
        result->is_negated = n->negate;
        return result;
    }
    if (const auto *n = as<jinja::unary_expression>(node)) {
        if (n->op.value == "not") {
            auto result = made<negation>(node);
            result->operand = compile_expression(n->argument.get());
            return result;
        }
        auto result = made<sign>(node);
        result->operand = compile_expression(n->argument.get());
        result->is_minus = n->op.value == "-";
        return result;
    }
    if (const auto *n = as<jinja::ternary_expression>(node)) {
        auto result = made<conditional>(node);
        result->condition = compile_expression(n->condition.get());
        result->then = compile_expression(n->true_expr.get());
        result->otherwise = compile_expression(n->false_expr.get());
        return result;
    }
    if (const auto *n = as<jinja::select_expression>(node)) {
        auto result = made<conditional>(node);
        result->condition = compile_expression(n->test.get());
        result->then = compile_expression(n->lhs.get());
        return result;
    }
    refuse("this kind of expression can't be used here", node);
}

statement_ptr compile_for(const jinja::for_statement *node, const positions &texts) {
    auto result = made<for_block>(node);
    result->targets = names_in(node->loopvar.get());
    if (const auto *chosen = as<jinja::select_expression>(node->iterable.get())) {
        result->iterable = compile_expression(chosen->lhs.get());
        result->condition = compile_expression(chosen->test.get());
    } else {
        result->iterable = compile_expression(node->iterable.get());
    }
    result->body = compile_all(node->body, texts);
    result->otherwise = compile_all(node->default_block, texts);
    return result;
}

statement_ptr compile_set(const jinja::set_statement *node, const positions &texts) {
    auto result = made<set_block>(node);
    if (const auto *target = as<jinja::member_expression>(node->assignee.get())) {
        if (target->computed) refuse("only names and members of a namespace can be set", node);
        result->object = compile_expression(target->object.get());
        result->name = name_of(target->property.get(), "a namespace's member");
    } else {
        result->targets = names_in(node->assignee.get());
    }
    if (node->val) result->assigned = compile_expression(node->val.get());
    result->body = compile_all(node->body, texts);
    return result;
}

statement_ptr compile_statement(const jinja::statement *node, const positions &texts) {
    if (const auto *n = as<jinja::if_statement>(node)) {
        auto result = made<if_block>(node);
        result->condition = compile_expression(n->test.get());
        result->then = compile_all(n->body, texts);
        result->otherwise = compile_all(n->alternate, texts);
        return result;
    }
    if (const auto *n = as<jinja::for_statement>(node)) return compile_for(n, texts);
    if (const auto *n = as<jinja::set_statement>(node)) return compile_set(n, texts);
    if (as<jinja::macro_statement>(node) || as<jinja::call_statement>(node)) {
        refuse("macros are not supported in task templates", node);
    }
    if (as<jinja::filter_statement>(node)) refuse("filter blocks are not supported; use {{ value | filter }}", node);
    if (as<jinja::break_statement>(node) || as<jinja::continue_statement>(node)) {
        refuse("break and continue are not part of Jinja; filter the loop with if", node);
    }
    if (as<jinja::noop_statement>(node)) refuse("generation blocks are for chat templates", node);
    const auto *literal = as<jinja::string_literal>(node);
    if (literal && texts.count(node->pos) > 0) {
        auto result = made<text_statement>(node);
        result->content = literal->val;
        return result;
    }
    auto result = made<print_statement>(node);
    result->what = compile_expression(node);
    return result;
}

statements compile_all(const jinja::statements &nodes, const positions &texts) {
    statements result;
    for (const auto &node : nodes) result.push_back(compile_statement(node.get(), texts));
    return result;
}

}  // namespace

statements compile(const jinja::program &program, const positions &texts) { return compile_all(program.body, texts); }

}  // namespace assay
