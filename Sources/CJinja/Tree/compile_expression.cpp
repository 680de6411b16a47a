#include <tuple>

#include "compile.h"
#include "expressions.h"
#include "operators.h"

namespace assay {

namespace {

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

}  // namespace

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

}  // namespace assay
