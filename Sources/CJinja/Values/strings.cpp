#include "strings.h"

#include <algorithm>


namespace assay {

namespace {

// Python's str.isspace, on one code point in UTF-8.
bool is_space(std::string_view point) {
    if (point.size() == 1) {
        const unsigned char c = static_cast<unsigned char>(point[0]);
        return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
    }
    if (point.size() == 2) return point == "\xC2\x85" || point == "\xC2\xA0";
    if (point.size() != 3) return false;
    if (point.substr(0, 2) == "\xE2\x80") {
        const unsigned char c = static_cast<unsigned char>(point[2]);
        return (c >= 0x80 && c <= 0x8A) || c == 0xA8 || c == 0xA9 || c == 0xAF;
    }
    return point == "\xE1\x9A\x80" || point == "\xE2\x81\x9F" || point == "\xE3\x80\x80";
}

void need_ascii(const std::string &content, const char *function) {
    for (const char c : content) {
        if (static_cast<unsigned char>(c) >= 0x80) {
            throw failure(std::string(function) + " works on ASCII text only, and this text has other letters");
        }
    }
}

}  // namespace

std::string strip(const std::string &content, const std::string *characters, bool left, bool right) {
    const auto points = code_points(content);
    const auto unwanted = characters ? code_points(*characters) : std::vector<std::string_view>();
    auto goes = [&](std::string_view point) {
        return characters ? std::find(unwanted.begin(), unwanted.end(), point) != unwanted.end() : is_space(point);
    };
    size_t start = 0, end = points.size();
    while (left && start < end && goes(points[start])) ++start;
    while (right && end > start && goes(points[end - 1])) --end;
    std::string result;
    for (size_t index = start; index < end; ++index) result += points[index];
    return result;
}

std::vector<value> split(const std::string &content, const std::string *separator, int64_t most, bool from_right) {
    std::vector<std::string> parts;
    if (separator) {
        if (separator->empty()) throw failure("split needs a separator that is not empty");
        std::string rest = content;
        size_t at;
        if (from_right) {
            while (most != 0 && (at = rest.rfind(*separator)) != std::string::npos) {
                parts.push_back(rest.substr(at + separator->size()));
                rest.erase(at);
                --most;
            }
            parts.push_back(rest);
            std::reverse(parts.begin(), parts.end());
        } else {
            size_t start = 0;
            while (most != 0 && (at = rest.find(*separator, start)) != std::string::npos) {
                parts.push_back(rest.substr(start, at - start));
                start = at + separator->size();
                --most;
            }
            parts.push_back(rest.substr(start));
        }
    } else {
        if (from_right && most >= 0) throw failure("rsplit with a limit needs a separator");
        const auto points = code_points(content);
        size_t index = 0;
        while (true) {
            while (index < points.size() && is_space(points[index])) ++index;
            if (index == points.size()) break;
            std::string part;
            if (most == 0) {
                for (; index < points.size(); ++index) part += points[index];
                parts.push_back(strip(part, nullptr, false, true));
                break;
            }
            while (index < points.size() && !is_space(points[index])) part += points[index++];
            parts.push_back(part);
            --most;
        }
    }
    std::vector<value> result;
    for (auto &part : parts) result.push_back(text(std::move(part)));
    return result;
}

std::string replace(
    const std::string &content, const std::string &old, const std::string &with, int64_t most, budget &budget) {
    budget.spend_search(content.size(), old.size());
    std::string result;
    auto add = [&](std::string_view piece) {
        result += piece;
        if (result.size() > budget.bytes) budget.spend_text(result.size());
    };
    if (old.empty()) {
        for (const auto point : code_points(content)) {
            if (most != 0) {
                add(with);
                --most;
            }
            add(point);
        }
        if (most != 0) add(with);
    } else {
        size_t start = 0, at;
        while (most != 0 && (at = content.find(old, start)) != std::string::npos) {
            add(std::string_view(content).substr(start, at - start));
            add(with);
            start = at + old.size();
            --most;
        }
        add(std::string_view(content).substr(start));
    }
    budget.spend_text(result.size());
    return result;
}

std::string join(const std::vector<value> &items, const std::string &separator, bool converts, budget &budget) {
    std::string result;
    bool first = true;
    for (const auto &item : items) {
        if (!converts && !is_text(item)) throw failure("join needs strings, and the list has " + kind_of(item));
        if (!first) result += separator;
        first = false;
        result += str(item, budget);
        if (result.size() > budget.bytes) budget.spend_text(result.size());
    }
    budget.spend_text(result.size());
    return result;
}

std::string lower(const std::string &content) {
    need_ascii(content, "lower");
    std::string result = content;
    for (char &c : result) c = c >= 'A' && c <= 'Z' ? char(c + 32) : c;
    return result;
}

std::string upper(const std::string &content) {
    need_ascii(content, "upper");
    std::string result = content;
    for (char &c : result) c = c >= 'a' && c <= 'z' ? char(c - 32) : c;
    return result;
}

std::string capitalize(const std::string &content) {
    if (content.empty()) return content;
    return upper(content.substr(0, 1)) + lower(content.substr(1));
}

}  // namespace assay
