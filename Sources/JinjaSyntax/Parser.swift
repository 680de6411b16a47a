internal import PythonCompat

/// How a template is read.
public struct SyntaxOptions: Sendable, Hashable {
    /// Whether lines that hold nothing but a tag are dropped, and the newline at the end: Jinja's `trim_blocks`,
    /// `lstrip_blocks` and not `keep_trailing_newline`.
    public var trims: Bool
    /// Whether there are the tags `break`, `continue` and transformers' `generation`.
    public var hasChatTags: Bool

    public init(trims: Bool = false, hasChatTags: Bool = false) {
        self.trims = trims
        self.hasChatTags = hasChatTags
    }
}

/// Reads tokens into statements, by the grammar of Jinja 3.1.
public struct Parser {
    /// How deep expressions and blocks may nest; Python itself takes 200 levels of brackets.
    static let maxDepth = 100

    let tokens: [Token]
    let options: SyntaxOptions
    let stack = StackGuard()
    var position = 0
    var depth = 0
    /// What could end the blocks that are open.
    var endings: [[String]] = []

    /// - Throws: `SyntaxError` with the place of what is wrong.
    public static func parse(_ source: String, _ options: SyntaxOptions) throws(SyntaxError) -> [Stmt] {
        var parser = Parser(tokens: try Lexer.tokens(source, options), options: options)
        return try parser.statements(until: nil)
    }

    init(tokens: [Token], options: SyntaxOptions) {
        self.tokens = tokens
        self.options = options
    }

    // MARK: Tokens

    var current: Token { self.tokens[self.position] }
    var next: Token { self.tokens[min(self.position + 1, self.tokens.count - 1)] }

    @discardableResult
    mutating func advance() -> Token {
        let token = self.current
        if self.position + 1 < self.tokens.count { self.position += 1 }
        return token
    }

    func isName(_ name: String) -> Bool { self.current.kind == .name && self.current.text == name }
    func isSymbol(_ symbol: String) -> Bool { self.current.kind == .symbol && self.current.text == symbol }

    mutating func take(name: String) -> Bool {
        guard self.isName(name) else { return false }
        self.advance()
        return true
    }

    mutating func take(_ symbol: String) -> Bool {
        guard self.isSymbol(symbol) else { return false }
        self.advance()
        return true
    }

    mutating func expect(_ symbol: String) throws(SyntaxError) {
        guard self.take(symbol) else { throw self.unexpected("'\(symbol)'") }
    }

    mutating func expectName() throws(SyntaxError) -> Token {
        guard self.current.kind == .name else { throw self.unexpected("a name") }
        return self.advance()
    }

    mutating func expect(_ kind: Token.Kind, _ what: String) throws(SyntaxError) {
        guard self.current.kind == kind else { throw self.unexpected(what) }
        self.advance()
    }

    func unexpected(_ wanted: String) -> SyntaxError {
        self.error("expected \(wanted), got \(self.described)")
    }

    var described: String {
        switch self.current.kind {
        case .data: "text"
        case .end: "the template's end"
        case .string: "the string \(PythonText.repr(self.current.text))"
        default: "'\(self.current.text)'"
        }
    }

    func error(_ message: String, at place: Place? = nil) -> SyntaxError {
        SyntaxError(.syntax, message, at: place ?? self.current.place)
    }

    mutating func enter() throws(SyntaxError) {
        self.depth += 1
        try self.stack.check(at: self.current.place)
        guard self.depth <= Self.maxDepth else {
            throw SyntaxError(.limit, "this nests more than \(Self.maxDepth) deep", at: self.current.place)
        }
    }

    mutating func leave() { self.depth -= 1 }

    func made(_ syntax: Syntax, at place: Place) throws(SyntaxError) -> Expr {
        var expression = Expr(syntax: syntax, place: place, depth: 0)
        expression.depth = 1 + (expression.children.map(\.depth).max() ?? 0)
        guard expression.depth <= 2 * Self.maxDepth else {
            throw SyntaxError(.limit, "this expression nests more than \(2 * Self.maxDepth) deep", at: place)
        }
        return expression
    }

    // MARK: Statements

    /// Up to one of the end tags, whose name is then the current token.
    mutating func statements(until ends: [String]?) throws(SyntaxError) -> [Stmt] {
        var statements: [Stmt] = []
        var output: [Statement.Output] = []
        var outputPlace = self.current.place
        if let ends { self.endings.append(ends) }
        defer { if ends != nil { self.endings.removeLast() } }
        func flush() {
            guard !output.isEmpty else { return }
            statements.append(Stmt(statement: .output(output), place: outputPlace))
            output = []
        }
        while true {
            let token = self.current
            if output.isEmpty { outputPlace = token.place }
            switch token.kind {
            case .data:
                output.append(.data(token.text))
                self.advance()
            case .variableBegin:
                self.advance()
                output.append(.value(try self.tuple(hasConditions: true)))
                try self.expect(.variableEnd, "'}}'")
            case .blockBegin:
                flush()
                self.advance()
                if let ends, self.current.kind == .name, ends.contains(self.current.text) { return statements }
                try self.enter()
                let place = self.current.place
                if let statement = try self.statement() {
                    statements.append(Stmt(statement: statement, place: place))
                }
                self.leave()
                try self.expect(.blockEnd, "'%}'")
            default:
                flush()
                guard let ends else { return statements }
                throw self.error("the template ends where \(Self.listed(ends)) is missing")
            }
        }
    }

    static func listed(_ names: [String]) -> String {
        names.map { "'\($0)'" }.joined(separator: " or ")
    }

    /// A block's body: from the end of the tag to one of the end tags.
    mutating func body(_ ends: [String]) throws(SyntaxError) -> [Stmt] {
        // As in Python, a colon may stand here.
        _ = self.take(":")
        try self.expect(.blockEnd, "'%}'")
        return try self.statements(until: ends)
    }

    mutating func body(_ end: String) throws(SyntaxError) -> [Stmt] {
        let body = try self.body([end])
        self.advance()
        return body
    }

    mutating func statement() throws(SyntaxError) -> Statement? {
        let token = self.current
        guard token.kind == .name else { throw self.unexpected("a tag's name") }
        switch token.text {
        case "for": return try self.loop()
        case "if": return try self.choice()
        case "set": return try self.set()
        case "with": return try self.with()
        case "macro": return try self.macro()
        case "call": return try self.callBlock()
        case "filter": return try self.filterBlock()
        case "block": return try self.block()
        case "print": return try self.print()
        case "autoescape":
            self.advance()
            let flag = try self.expression()
            return .autoescape(flag, try self.body("endautoescape"))
        case "extends", "include", "import", "from":
            throw SyntaxError(
                .unsupported, "'\(token.text)' needs other templates, and there are none: put everything in this one",
                at: token.place)
        case "generation" where self.options.hasChatTags:
            self.advance()
            return .generation(try self.body("endgeneration"))
        case "break" where self.options.hasChatTags, "continue" where self.options.hasChatTags:
            self.advance()
            return .stop(continues: token.text == "continue")
        default:
            var message = "there is no tag '\(token.text)'"
            if let ends = self.endings.last { message += "; the block that is open ends with \(Self.listed(ends))" }
            throw self.error(message)
        }
    }

    mutating func loop() throws(SyntaxError) -> Statement {
        self.advance()
        let target = try self.target(ending: "in")
        guard self.take(name: "in") else { throw self.unexpected("'in'") }
        let items = try self.tuple(hasConditions: false, ending: "recursive")
        let test = self.take(name: "if") ? try self.expression() : nil
        let isRecursive = self.take(name: "recursive")
        let body = try self.body(["endfor", "else"])
        let other = self.advance().text == "endfor" ? [] : try self.body("endfor")
        return .loop(
            .init(target: target, items: items, test: test, isRecursive: isRecursive, body: body, other: other))
    }

    mutating func choice() throws(SyntaxError) -> Statement {
        self.advance()
        var branches: [(test: Expr, body: [Stmt])] = []
        while true {
            let test = try self.tuple(hasConditions: false)
            branches.append((test, try self.body(["elif", "else", "endif"])))
            switch self.advance().text {
            case "elif": continue
            case "else": return .choice(branches, other: try self.body("endif"))
            default: return .choice(branches, other: [])
            }
        }
    }

    mutating func set() throws(SyntaxError) -> Statement {
        self.advance()
        let target = try self.target(hasNamespaces: true)
        if self.take("=") { return .assign(target, try self.tuple(hasConditions: true)) }
        let filter = try self.filters(nil)
        return .capture(target, filter: filter, try self.body("endset"))
    }

    mutating func with() throws(SyntaxError) -> Statement {
        self.advance()
        var values: [(target: Expr, value: Expr)] = []
        while self.current.kind != .blockEnd {
            if !values.isEmpty { try self.expect(",") }
            let target = try self.target()
            try self.expect("=")
            values.append((target, try self.expression()))
        }
        return .with(values, try self.body("endwith"))
    }

    mutating func signature() throws(SyntaxError) -> Signature {
        var signature = Signature()
        try self.expect("(")
        while !self.isSymbol(")") {
            if !signature.names.isEmpty { try self.expect(",") }
            let name = try self.assignableName()
            guard !signature.names.contains(where: { PythonText.equal($0, name) }) else {
                throw self.error("the parameter '\(name)' is given twice")
            }
            if self.take("=") {
                signature.defaults.append(try self.expression())
            } else if !signature.defaults.isEmpty {
                throw self.error("a parameter without a value follows one with a value")
            }
            signature.names.append(name)
        }
        self.advance()
        return signature
    }

    mutating func assignableName() throws(SyntaxError) -> String {
        let token = try self.expectName()
        guard !Self.constants.keys.contains(token.text) else {
            throw self.error("'\(token.text)' is a constant", at: token.place)
        }
        return token.text
    }

    mutating func macro() throws(SyntaxError) -> Statement {
        self.advance()
        let name = try self.assignableName()
        let signature = try self.signature()
        return .macro(name, signature, try self.body("endmacro"))
    }

    mutating func callBlock() throws(SyntaxError) -> Statement {
        let place = self.advance().place
        let signature = self.isSymbol("(") ? try self.signature() : Signature()
        let call = try self.expression()
        guard case .call = call.syntax else { throw self.error("expected a call", at: place) }
        return .callBlock(call, signature, try self.body("endcall"))
    }

    mutating func filterBlock() throws(SyntaxError) -> Statement {
        self.advance()
        guard let filter = try self.filters(nil, startsInline: true) else { throw self.unexpected("a filter") }
        return .filterBlock(filter, try self.body("endfilter"))
    }

    mutating func block() throws(SyntaxError) -> Statement {
        self.advance()
        let name = try self.expectName().text
        let isScoped = self.take(name: "scoped")
        let isRequired = self.take(name: "required")
        if self.isSymbol("-") { throw self.error("a block's name can't have a hyphen") }
        let body = try self.body("endblock")
        if isRequired {
            for statement in body {
                guard case .output(let parts) = statement.statement,
                    parts.allSatisfy({
                        if case .data(let text) = $0 {
                            text.unicodeScalars.allSatisfy(PythonText.isSpace)
                        } else {
                            false
                        }
                    })
                else {
                    throw self.error("a required block can hold comments and white space only", at: statement.place)
                }
            }
        }
        _ = self.take(name: name)
        return .block(.init(name: name, isScoped: isScoped, isRequired: isRequired, body: body))
    }

    mutating func print() throws(SyntaxError) -> Statement {
        self.advance()
        var values: [Statement.Output] = []
        while self.current.kind != .blockEnd {
            if !values.isEmpty { try self.expect(",") }
            values.append(.value(try self.expression()))
        }
        return .output(values)
    }

    /// What is assigned to: a name, a tuple of names, or a member of a namespace.
    mutating func target(ending: String? = nil, hasNamespaces: Bool = false) throws(SyntaxError) -> Expr {
        let target = try self.tuple(
            isSimple: true, hasConditions: false, ending: ending, hasNamespaces: hasNamespaces)
        try Self.checkAssignable(target)
        return target
    }

    static func checkAssignable(_ target: Expr) throws(SyntaxError) {
        switch target.syntax {
        case .name, .namespaceMember: return
        case .tuple(let items): for item in items { try Self.checkAssignable(item) }
        default: throw SyntaxError(.syntax, "nothing can be assigned to this", at: target.place)
        }
    }
}
