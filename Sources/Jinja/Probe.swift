internal import JinjaSyntax
internal import PythonCompat

/// Looks for what can't work in a template, whatever is given to it.
struct Probe {
    private let dialect: Template.Dialect
    private var declared = DeclaredNames()

    init(_ dialect: Template.Dialect) { self.dialect = dialect }

    private static let attributes: Set<String> = StringMethod.names.union(ListMethods.names).union(DictMethods.names)
        .union([
            "unescape", "striptags", "isdisjoint", "conjugate", "as_integer_ratio", "is_integer", "hex", "bit_length",
            "bit_count", "cycle", "changed", "next", "reset", "super", "current", "sep", "grouper", "to_bytes",
            "from_bytes", "fromhex",
        ])

    mutating func visit(_ statements: [Stmt]) throws(JinjaError) {
        self.declared = DeclaredNames(of: statements)
        try self.check(statements)
    }

    private func check(_ statements: [Stmt]) throws(JinjaError) {
        for statement in statements {
            for expression in statement.expressions { try self.check(expression) }
            for body in statement.bodies { try self.check(body) }
        }
    }

    private func check(_ expression: Expr) throws(JinjaError) {
        switch expression.syntax {
        case .call(let function, _):
            switch function.syntax {
            case .name(let name):
                guard
                    self.declared.variables.contains(ExactText(name)) || Globals.value(name, self.dialect) != nil
                        || ["loop", "caller", "super", "self", "varargs", "kwargs", "strftime_now"].contains(name)
                else { throw JinjaError(.undefined, "there is no function '\(name)'", at: function.place) }
            case .attribute(_, let name):
                guard Self.attributes.contains(name) || self.declared.members.contains(ExactText(name)) else {
                    throw JinjaError(.undefined, "nothing has a method '\(name)'", at: function.place)
                }
            default: break
            }
        case .filter(_, let name, _):
            if Filter.named(name, self.dialect) == nil {
                throw JinjaError(.runtime, "there is no filter '\(name)'", at: expression.place)
            }
            if name == "random" {
                throw JinjaError(
                    .unsupported, "'random' gives another value each time, so that no prompt with it can be reproduced",
                    at: expression.place)
            }
        case .test(_, let name, _):
            if JinjaTest.named(name) == nil {
                throw JinjaError(.runtime, "there is no test '\(name)'", at: expression.place)
            }
        default: break
        }
        for child in expression.children { try self.check(child) }
    }
}
