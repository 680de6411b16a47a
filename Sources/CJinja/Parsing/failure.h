#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace assay {

constexpr size_t nowhere = static_cast<size_t>(-1);

// An error with its place in the template's source.
struct failure : std::runtime_error {
    size_t position;
    // No other variables would help: what the template uses is not there, or the budget is used up.
    bool is_final;
    explicit failure(const std::string &message, size_t position = nowhere, bool is_final = false)
        : std::runtime_error(message), position(position), is_final(is_final) {}
};

}  // namespace assay
