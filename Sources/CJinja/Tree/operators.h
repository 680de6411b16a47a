#pragma once

#include "tree.h"

// The expressions with operators.
namespace assay {

struct conditional : expression {
    expression_ptr condition, then, otherwise;
    value run(frame &in) const override;
};

struct logical : expression {
    expression_ptr left, right;
    bool is_and = false;
    value run(frame &in) const override;
};

struct negation : expression {
    expression_ptr operand;
    value run(frame &in) const override { return boolean(!truth(operand->need(in))); }
};

struct sign : expression {
    expression_ptr operand;
    bool is_minus = false;
    value run(frame &in) const override;
};

struct binary : expression {
    std::string sign;
    expression_ptr left, right;
    // In Jinja ~ binds more tightly than + and -, in llama.cpp's parser equally; for strings it is all the same.
    bool left_is_sum = false;

    value run(frame &in) const override;

    value joined(std::string a, const std::string &b, frame &in) const;

    value repeated(const value &a, const value &b, frame &in) const;
};

}  // namespace assay
