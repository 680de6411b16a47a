#include "compile.h"

#include "statements.h"

namespace assay {

namespace {

using positions = std::unordered_set<size_t>;

// What the tree does not say of a template.
struct source_facts {
    const positions &texts;
    bool is_chat;
};

statements compile_all(const jinja::statements &nodes, const source_facts &facts);

std::vector<std::string> names_in(const jinja::statement *node) {
    if (const auto *tuple = as<jinja::tuple_literal>(node)) {
        std::vector<std::string> names;
        for (const auto &item : tuple->val) names.push_back(name_of(item.get(), "what is assigned to"));
        return names;
    }
    return {name_of(node, "what is assigned to")};
}

statement_ptr compile_for(const jinja::for_statement *node, const source_facts &facts) {
    auto result = made<for_block>(node);
    result->targets = names_in(node->loopvar.get());
    if (const auto *chosen = as<jinja::select_expression>(node->iterable.get())) {
        result->iterable = compile_expression(chosen->lhs.get());
        result->condition = compile_expression(chosen->test.get());
    } else {
        result->iterable = compile_expression(node->iterable.get());
    }
    result->body = compile_all(node->body, facts);
    result->otherwise = compile_all(node->default_block, facts);
    return result;
}

statement_ptr compile_set(const jinja::set_statement *node, const source_facts &facts) {
    auto result = made<set_block>(node);
    if (const auto *target = as<jinja::member_expression>(node->assignee.get())) {
        if (target->computed) refuse("only names and members of a namespace can be set", node);
        result->object = compile_expression(target->object.get());
        result->name = name_of(target->property.get(), "a namespace's member");
    } else {
        result->targets = names_in(node->assignee.get());
    }
    if (node->val) result->assigned = compile_expression(node->val.get());
    result->body = compile_all(node->body, facts);
    return result;
}

statement_ptr compile_macro(const jinja::macro_statement *node, const source_facts &facts) {
    auto result = made<macro_block>(node);
    result->name = name_of(node->name.get(), "a macro's name");
    for (const auto &argument : node->args) {
        if (const auto *named = as<jinja::keyword_argument_expression>(argument.get())) {
            result->parameters.emplace_back(
                name_of(named->key.get(), "a macro's argument"), compile_expression(named->val.get()));
        } else {
            result->parameters.emplace_back(name_of(argument.get(), "a macro's argument"), nullptr);
        }
    }
    result->body = compile_all(node->body, facts);
    return result;
}

statement_ptr compile_statement(const jinja::statement *node, const source_facts &facts) {
    if (const auto *n = as<jinja::if_statement>(node)) {
        auto result = made<if_block>(node);
        result->condition = compile_expression(n->test.get());
        result->then = compile_all(n->body, facts);
        result->otherwise = compile_all(n->alternate, facts);
        return result;
    }
    if (const auto *n = as<jinja::for_statement>(node)) return compile_for(n, facts);
    if (const auto *n = as<jinja::set_statement>(node)) return compile_set(n, facts);
    if (const auto *n = as<jinja::macro_statement>(node)) {
        if (!facts.is_chat) refuse("macros are not supported in task templates", node);
        return compile_macro(n, facts);
    }
    if (as<jinja::call_statement>(node)) refuse("call blocks are not supported", node);
    if (as<jinja::filter_statement>(node)) refuse("filter blocks are not supported; use {{ value | filter }}", node);
    if (as<jinja::break_statement>(node) || as<jinja::continue_statement>(node)) {
        refuse("break and continue are not part of Jinja; filter the loop with if", node);
    }
    if (as<jinja::noop_statement>(node)) {
        if (!facts.is_chat) refuse("generation blocks are for chat templates", node);
        return made<text_statement>(node);
    }
    const auto *literal = as<jinja::string_literal>(node);
    if (literal && facts.texts.count(node->pos) > 0) {
        auto result = made<text_statement>(node);
        result->content = literal->val;
        return result;
    }
    auto result = made<print_statement>(node);
    result->what = compile_expression(node);
    return result;
}

statements compile_all(const jinja::statements &nodes, const source_facts &facts) {
    statements result;
    for (const auto &node : nodes) result.push_back(compile_statement(node.get(), facts));
    return result;
}

}  // namespace

statements compile(const jinja::program &program, const positions &texts, bool is_chat) {
    return compile_all(program.body, {texts, is_chat});
}

}  // namespace assay
