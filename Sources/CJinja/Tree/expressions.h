#pragma once

#include "../Functions/functions.h"
#include "tree.h"

// The expressions without operators.
namespace assay {

// Positional arguments have no name.
using arguments_of = std::vector<std::pair<std::string, expression_ptr>>;

struct literal : expression {
    value constant;
    value run(frame &) const override { return constant; }
};

struct name_expression : expression {
    std::string name;
    value run(frame &in) const override;
};

struct list_expression : expression {
    std::vector<expression_ptr> items;
    bool is_tuple = false;
    value run(frame &in) const override;
};

struct object_expression : expression {
    std::vector<std::pair<expression_ptr, expression_ptr>> members;
    value run(frame &in) const override;
};

// object.name
struct member : expression {
    expression_ptr object;
    std::string name;

    value of(const value &v) const;
    value run(frame &in) const override;
};

// object[key]
struct element : expression {
    expression_ptr object;
    expression_ptr key;

    value run(frame &in) const override;
};

struct slice_of : expression {
    expression_ptr object, start, stop, step;
    value run(frame &in) const override;
};

struct function_call : expression {
    std::string name;
    arguments_of given;
    value run(frame &in) const override;
};

struct method_call : expression {
    expression_ptr object;
    std::string name;
    arguments_of given;
    value run(frame &in) const override;
};

struct filtered : expression {
    expression_ptr operand;
    std::string name;
    arguments_of given;
    value run(frame &in) const override;
};

struct tested : expression {
    expression_ptr operand;
    std::string name;
    arguments_of given;
    bool is_negated = false;
    value run(frame &in) const override;
};

}  // namespace assay
