#pragma once

#include <string>
#include <vector>

#include "python.h"

// Python's str methods on UTF-8.
namespace assay {

std::string strip(const std::string &content, const std::string *characters, bool left, bool right);
// A null separator splits at runs of white space; `most` < 0 splits everywhere.
std::vector<value> split(const std::string &content, const std::string *separator, int64_t most, bool from_right);
std::string replace(
    const std::string &content, const std::string &old, const std::string &with, int64_t most, budget &budget);
std::string join(const std::vector<value> &items, const std::string &separator, bool converts, budget &budget);
// Only ASCII has cases here; other letters are an error rather than a wrong result.
std::string lower(const std::string &content);
std::string upper(const std::string &content);
std::string capitalize(const std::string &content);

}  // namespace assay
