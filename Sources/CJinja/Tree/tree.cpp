#include "tree.h"

namespace assay {

value scope::find(const std::string &name) const {
    for (const scope *at = this; at; at = at->parent) {
        const auto entry = at->names.find(name);
        if (entry != at->names.end()) return entry->second;
    }
    return nullptr;
}

std::pair<const macro_block *, const scope *> scope::find_macro(const std::string &name) const {
    for (const scope *at = this; at; at = at->parent) {
        const auto entry = at->macros.find(name);
        if (entry != at->macros.end()) return {entry->second, at};
    }
    return {nullptr, nullptr};
}

void output::add(const std::string &more, budget &limits) {
    limits.spend(more.size() / 64);
    // Only the whole is measured: every piece was paid for when it was made.
    if (this->text.size() + more.size() > limits.bytes) limits.spend_text(this->text.size() + more.size());
    this->text += more;
}

value expression::evaluate(frame &in) const {
    try {
        in.limits.spend(1);
        return this->run(in);
    } catch (failure &error) {
        if (in.limits.probes && !error.is_final) return silenced(undefined(error.what()));
        if (error.position == nowhere) error.position = this->position;
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &error) {
        throw failure(error.what(), this->position);
    }
}

value expression::need(frame &in) const {
    value result = this->evaluate(in);
    if (result->is_undefined() && (in.limits.lenient || in.limits.probes)) return silenced(result);
    if (result->is_undefined()) {
        const std::string &hint = jinja::cast_val<jinja::value_undefined>(result)->hint;
        throw failure(hint.empty() ? "the value is undefined" : hint, this->position);
    }
    return result;
}

void statement::execute(frame &in) const {
    try {
        in.limits.spend(1);
        this->run(in);
    } catch (failure &error) {
        if (in.limits.probes && !error.is_final) return;
        if (error.position == nowhere) error.position = this->position;
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &error) {
        throw failure(error.what(), this->position);
    }
}

void run_all(const statements &body, frame &in) {
    for (const auto &statement : body) statement->execute(in);
}

}  // namespace assay
