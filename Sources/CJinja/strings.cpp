#include "strings.h"

#include <algorithm>

#include "functions.h"

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

std::string text_argument(const value &v, const std::string &function) {
    if (!v || !is_text(v)) throw failure(function + " needs a string" + (v ? ", not " + kind_of(v) : ""));
    return string_of(v);
}

void need_ascii(const std::string &content, const char *function) {
    for (const char c : content) {
        if (static_cast<unsigned char>(c) >= 0x80) {
            throw failure(std::string(function) + " works on ASCII text only, and this text has other letters");
        }
    }
}

bool starts_with(const std::string &content, const std::string &prefix) { return content.rfind(prefix, 0) == 0; }
bool ends_with(const std::string &content, const std::string &suffix) {
    return content.size() >= suffix.size() &&
           content.compare(content.size() - suffix.size(), suffix.size(), suffix) == 0;
}

bool matches_any(const value &wanted, const std::string &function, const std::string &content,
                 bool (*test)(const std::string &, const std::string &)) {
    if (wanted && is_list(wanted)) {
        return std::any_of(wanted->val_arr.begin(), wanted->val_arr.end(), [&](const value &item) {
            return test(content, text_argument(item, function));
        });
    }
    return test(content, text_argument(wanted, function));
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

bool is_string_method(const std::string &name) {
    static const char *const names[] = {
        "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "replace", "join", "lower", "upper",
        "capitalize", "startswith", "endswith", "find", "rfind", "index", "count", "isdigit"};
    return std::any_of(std::begin(names), std::end(names), [&](const char *known) { return name == known; });
}

value call_string_method(
    const std::string &content, const std::string &name, const arguments &given, budget &budget) {
    budget.spend(1 + content.size() / 8);
    const auto &a = given.positional;
    auto at_most = [&](size_t count, std::initializer_list<const char *> names = {}) { given.check(name, count, names); };
    auto position = [&](size_t found) -> value {
        return integer(found == std::string::npos ? -1 : int64_t(code_points(content.substr(0, found)).size()));
    };

    if (name == "strip" || name == "lstrip" || name == "rstrip") {
        at_most(1);
        const bool has = !a.empty() && !a[0]->is_none();
        const std::string characters = has ? text_argument(a[0], name) : "";
        budget.spend(content.size() * (characters.size() / 8 + 1) / 8);
        return text(strip(content, has ? &characters : nullptr, name != "rstrip", name != "lstrip"));
    }
    if (name == "split" || name == "rsplit") {
        at_most(2, {"sep", "maxsplit"});
        const value separator = given.get(0, "sep"), most = given.get(1, "maxsplit");
        const bool has = separator && !separator->is_none();
        const std::string between = has ? text_argument(separator, name) : "";
        if (most && !jinja::is_val<jinja::value_int>(most)) throw failure(name + " needs an integer as its limit");
        budget.spend(content.size());
        budget.spend_search(content.size(), between.size());
        return list(split(content, has ? &between : nullptr, most ? most->val_int : -1, name == "rsplit"));
    }
    if (name == "splitlines") {
        at_most(0);
        budget.spend(content.size());
        std::vector<value> lines;
        size_t start = 0;
        while (start < content.size()) {
            const size_t end = content.find_first_of("\n\r", start);
            lines.push_back(text(content.substr(start, end == std::string::npos ? end : end - start)));
            if (end == std::string::npos) break;
            start = end + (content[end] == '\r' && end + 1 < content.size() && content[end + 1] == '\n' ? 2 : 1);
        }
        return list(std::move(lines));
    }
    if (name == "replace") {
        at_most(3);
        if (a.size() > 2 && !jinja::is_val<jinja::value_int>(a[2])) throw failure("replace needs an integer as its count");
        return text(replace(
            content, text_argument(a.size() > 0 ? a[0] : nullptr, name), text_argument(a.size() > 1 ? a[1] : nullptr, name),
            a.size() > 2 ? a[2]->val_int : -1, budget));
    }
    if (name == "join") {
        at_most(1);
        if (a.empty()) throw failure("join needs a list");
        return text(join(items_of(a[0], budget), content, false, budget));
    }
    if (name == "startswith" || name == "endswith") {
        at_most(1);
        return boolean(matches_any(
            a.empty() ? nullptr : a[0], name, content, name == "startswith" ? starts_with : ends_with));
    }
    if (name == "find" || name == "rfind" || name == "index") {
        at_most(1);
        const std::string wanted = text_argument(a.empty() ? nullptr : a[0], name);
        budget.spend_search(content.size(), wanted.size());
        const size_t found = name == "rfind" ? content.rfind(wanted) : content.find(wanted);
        if (name == "index" && found == std::string::npos) throw failure("index: the text is not found");
        return position(found);
    }
    if (name == "count") {
        at_most(1);
        const std::string wanted = text_argument(a.empty() ? nullptr : a[0], name);
        budget.spend_search(content.size(), wanted.size());
        if (wanted.empty()) return integer(int64_t(code_points(content).size()) + 1);
        int64_t count = 0;
        for (size_t at = 0; (at = content.find(wanted, at)) != std::string::npos; at += wanted.size()) ++count;
        return integer(count);
    }
    at_most(0);
    if (name == "lower") return text(lower(content));
    if (name == "upper") return text(upper(content));
    if (name == "capitalize") return text(capitalize(content));
    // isdigit
    return boolean(!content.empty() && std::all_of(content.begin(), content.end(), [](char c) {
        return c >= '0' && c <= '9';
    }));
}

}  // namespace assay
