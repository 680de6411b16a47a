#pragma once

#include "tree.h"

// What turns llama.cpp's syntax tree into ours.
namespace assay {

expression_ptr compile_expression(const jinja::statement *node);

template <typename T>
const T *as(const jinja::statement *node) {
    return dynamic_cast<const T *>(node);
}

template <typename T>
std::unique_ptr<T> made(const jinja::statement *node) {
    auto result = std::make_unique<T>();
    result->position = node->pos;
    return result;
}

[[noreturn]] inline void refuse(const std::string &what, const jinja::statement *node) {
    throw failure(what, node->pos);
}

inline std::string name_of(const jinja::statement *node, const char *role) {
    if (const auto *name = as<jinja::identifier>(node)) return name->val;
    refuse(std::string(role) + " must be a name", node);
}

}  // namespace assay
