#include "operators.h"

#include <cmath>
#include <cstdint>

namespace assay {

namespace {

value arithmetic(const std::string &sign, const value &a, const value &b) {
    const auto number = [](const value &v) {
        return jinja::is_val<jinja::value_float>(v) ? v->val_flt : double(v->val_int);
    };
    const double x = number(a), y = number(b);
    if (sign == "/") {
        if (y == 0) throw failure("division by zero");
        return floating(x / y);
    }
    if (jinja::is_val<jinja::value_float>(a) || jinja::is_val<jinja::value_float>(b)) {
        if (sign == "+") return floating(x + y);
        if (sign == "-") return floating(x - y);
        if (sign == "*") return floating(x * y);
        if (y == 0) throw failure("modulo by zero");
        const double rest = std::fmod(x, y);
        return floating(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
    }
    const int64_t m = a->val_int, n = b->val_int;
    int64_t result = 0;
    bool overflows = false;
    if (sign == "+") {
        overflows = __builtin_add_overflow(m, n, &result);
    } else if (sign == "-") {
        overflows = __builtin_sub_overflow(m, n, &result);
    } else if (sign == "*") {
        overflows = __builtin_mul_overflow(m, n, &result);
    } else {
        if (n == 0) throw failure("modulo by zero");
        const int64_t rest = n == -1 ? 0 : m % n;
        result = rest != 0 && (rest < 0) != (n < 0) ? rest + n : rest;
    }
    if (overflows) throw failure("the result does not fit in 64 bits");
    return integer(result);
}

}  // namespace

value conditional::run(frame &in) const {
    if (truth(condition->need(in))) return then->evaluate(in);
    if (otherwise) return otherwise->evaluate(in);
    return undefined("the condition is false and there is no else");
}

value logical::run(frame &in) const {
    value v = left->need(in);
    return truth(v) == is_and ? right->need(in) : v;
}

value sign::run(frame &in) const {
    const value v = operand->need(in);
    if (!is_number(v)) throw failure("can't negate " + kind_of(v));
    if (jinja::is_val<jinja::value_float>(v)) return floating(is_minus ? -v->val_flt : v->val_flt);
    if (v->val_int == INT64_MIN) throw failure("the number does not fit in 64 bits");
    return integer(is_minus ? -v->val_int : v->val_int);
}

value binary::run(frame &in) const {
    const value a = left->need(in), b = right->need(in);
    if (sign == "==") return boolean(equal(a, b, in.limits));
    if (sign == "!=") return boolean(!equal(a, b, in.limits));
    if (sign == "<") return boolean(compare(a, b, in.limits) < 0);
    if (sign == ">") return boolean(compare(a, b, in.limits) > 0);
    if (sign == "<=") return boolean(compare(a, b, in.limits) <= 0);
    if (sign == ">=") return boolean(compare(a, b, in.limits) >= 0);
    if (sign == "in") return boolean(contains(b, a, in.limits));
    if (sign == "not in") return boolean(!contains(b, a, in.limits));
    if (sign == "~") {
        if (left_is_sum && !is_text(a)) throw failure("put the sum before ~ in a variable with set");
        return joined(str(a, in.limits), str(b, in.limits), in);
    }
    if (is_number(a) && is_number(b)) return arithmetic(sign, a, b);
    if (sign == "+" && is_text(a) && is_text(b)) return joined(string_of(a), string_of(b), in);
    if (sign == "+" && is_list(a) && is_list(b)) {
        in.limits.spend(1 + size_of(a) + size_of(b));
        auto items = a->val_arr;
        items.insert(items.end(), b->val_arr.begin(), b->val_arr.end());
        return list(std::move(items));
    }
    if (sign == "*" && (is_text(a) || is_list(a) || is_text(b) || is_list(b))) return repeated(a, b, in);
    throw failure("can't use " + sign + " on " + kind_of(a) + " and " + kind_of(b));
}

value binary::joined(std::string a, const std::string &b, frame &in) const {
    in.limits.spend_text(a.size() + b.size());
    return text(std::move(a += b));
}

value binary::repeated(const value &a, const value &b, frame &in) const {
    const bool first = is_text(a) || is_list(a);
    const value &what = first ? a : b, &count = first ? b : a;
    if (!is_number(count) || jinja::is_val<jinja::value_float>(count)) {
        throw failure("can't multiply " + kind_of(what) + " by " + kind_of(count));
    }
    const size_t times = count->val_int > 0 ? size_t(count->val_int) : 0;
    size_t size = 0;
    if (__builtin_mul_overflow(times, size_of(what), &size)) size = SIZE_MAX;
    if (is_text(what)) {
        in.limits.spend_text(size);
        const std::string content = string_of(what);
        std::string result;
        for (size_t index = 0; index < times && !content.empty(); ++index) result += content;
        return text(std::move(result));
    }
    in.limits.spend(size);
    std::vector<value> result;
    for (size_t index = 0; index < times && size > 0; ++index) {
        result.insert(result.end(), what->val_arr.begin(), what->val_arr.end());
    }
    return list(std::move(result));
}

}  // namespace assay
