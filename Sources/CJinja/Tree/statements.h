#pragma once

#include "../Functions/functions.h"
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

struct macro_block : statement {
    std::string name;
    // Those without a default must be given.
    std::vector<std::pair<std::string, expression_ptr>> parameters;
    statements body;

    // Makes it known.
    void run(frame &in) const override { in.names.macros[name] = this; }
    // What it prints; `home` is the scope that it was defined in.
    value call(const arguments &given, const scope &home, budget &limits) const;
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
