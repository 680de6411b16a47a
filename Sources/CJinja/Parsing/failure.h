#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace assay {

constexpr size_t nowhere = static_cast<size_t>(-1);

// An error with its place in the template's source.
struct failure : std::runtime_error {
    size_t position;
    explicit failure(const std::string &message, size_t position = nowhere)
        : std::runtime_error(message), position(position) {}
};

}  // namespace assay
