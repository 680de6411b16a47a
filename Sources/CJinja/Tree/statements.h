#pragma once

#include "tree.h"

namespace assay {

struct text_statement : statement {
    std::string content;
    void run(frame &in) const override { in.out.add(content, in.limits); }
};

struct print_statement : statement {
    expression_ptr what;
    void run(frame &in) const override;
};

struct if_block : statement {
    expression_ptr condition;
    statements then, otherwise;
    void run(frame &in) const override { run_all(truth(condition->need(in)) ? then : otherwise, in); }
};

struct for_block : statement {
    std::vector<std::string> targets;
    expression_ptr iterable, condition;
    statements body, otherwise;

    void run(frame &in) const override;
};

struct set_block : statement {
    std::vector<std::string> targets;
    // For a namespace's member.
    expression_ptr object;
    std::string name;
    expression_ptr assigned;
    statements body;

    void run(frame &in) const override;

    value captured(frame &in) const;
};

}  // namespace assay
