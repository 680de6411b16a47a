#pragma once

#include <string>

#include "foreign.h"

namespace assay {

// Newlines as Jinja sees them: \r\n and \r become \n.
std::string with_plain_newlines(const std::string &source);

// The tokens of a template, its text exactly as Python's Jinja keeps it: llama.cpp's lexer always trims around
// blocks, so it is given the tags alone. Throws failure; refuses what would make the parser recurse too deeply.
// With `trims_blocks` white space goes as with trim_blocks and lstrip_blocks: before a block that begins its line, and
// one newline behind a block.
std::vector<jinja::token> tokens_of(const std::string &source, bool trims_blocks);

}  // namespace assay
