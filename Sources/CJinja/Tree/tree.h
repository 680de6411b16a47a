#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "../Values/python.h"

// A parsed template in the form in which it is evaluated; it never changes, so threads share it.
namespace assay {

// Names and their values; a loop's body gets one of its own, whose parent it reads.
struct macro_block;

struct scope {
    const scope *parent = nullptr;
    std::unordered_map<std::string, value> names;
    std::unordered_map<std::string, const macro_block *> macros = {};

    // The macro of that name with the scope that it was defined in; null if there is none.
    std::pair<const macro_block *, const scope *> find_macro(const std::string &name) const;

    value find(const std::string &name) const;
};

// What a template prints: text, or with `keeps_values` the values of its expressions.
struct output {
    std::string text;
    bool keeps_values = false;
    std::vector<value> values;

    void add(const std::string &more, budget &limits);
};

struct frame {
    scope &names;
    output &out;
    budget &limits;
};

struct expression {
    size_t position = nowhere;
    virtual ~expression() = default;
    // The value, which may be undefined. Errors get this expression's position unless they have one.
    value evaluate(frame &in) const;
    // The value; if it is undefined, an error, or with a lenient budget a silent value.
    value need(frame &in) const;

protected:
    virtual value run(frame &in) const = 0;
};

struct statement {
    size_t position = nowhere;
    virtual ~statement() = default;
    void execute(frame &in) const;

protected:
    virtual void run(frame &in) const = 0;
};

using expression_ptr = std::unique_ptr<expression>;
using statement_ptr = std::unique_ptr<statement>;
using statements = std::vector<statement_ptr>;

void run_all(const statements &body, frame &in);

// From llama.cpp's syntax tree; throws failure for what templates can't use (call and filter blocks; macros unless
// `is_chat`). `texts` are the positions of text outside of tags, which the tree does not tell from {{ 'literals' }}.
statements compile(const jinja::program &program, const std::unordered_set<size_t> &texts, bool is_chat);

}  // namespace assay
