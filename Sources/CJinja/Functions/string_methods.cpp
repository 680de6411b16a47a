#include <algorithm>

#include "../Values/strings.h"
#include "functions.h"

namespace assay {

namespace {

std::string text_argument(const value &v, const std::string &function) {
    if (!v || !is_text(v)) throw failure(function + " needs a string" + (v ? ", not " + kind_of(v) : ""));
    return string_of(v);
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
    auto at_most = [&](size_t count, std::initializer_list<const char *> names = {}) {
        given.check(name, count, names);
    };
    auto position = [&](size_t found) -> value {
        return integer(found == std::string::npos ? -1 : int64_t(count_code_points(content.substr(0, found))));
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
        const value count = a.size() > 2 ? a[2] : nullptr;
        if (count && !jinja::is_val<jinja::value_int>(count)) throw failure("replace needs an integer as its count");
        return text(replace(
            content, text_argument(a.size() > 0 ? a[0] : nullptr, name),
            text_argument(a.size() > 1 ? a[1] : nullptr, name), count ? count->val_int : -1, budget));
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
        if (wanted.empty()) return integer(int64_t(count_code_points(content)) + 1);
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
