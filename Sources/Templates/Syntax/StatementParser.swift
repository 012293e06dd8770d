import Values

/// Statements: everything between `{%` and `%}`, and the text around them.
extension Parser {
    mutating func template() throws(TemplateError) -> [Statement] {
        let body = try statements(until: [])
        guard case .end = current.kind else { throw unexpected() }
        return body
    }

    /// Statements up to one of the named end tags, whose `{%` has been read when this returns, but not its name.
    private mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthLimit {
            throw source.failure("blocks are nested more than \(Self.depthLimit) levels", current.span)
        }
        var result: [Statement] = []
        while true {
            let token = current
            switch token.kind {
            case .text(let text):
                advance()
                result.append(Statement(kind: .text(text), span: token.span))
            case .variableBegin:
                advance()
                let value = try tuple()
                guard current.kind == .variableEnd else { throw unexpected("expected end of print statement") }
                advance()
                result.append(Statement(kind: .output(value), span: token.span.through(previousSpan)))
            case .blockBegin:
                if case .name(let name) = tokens[at + 1].kind, ends.contains(name) {
                    advance()
                    return result
                }
                advance()
                if let statement = try statement(token.span) { result.append(statement) }
            case .end where ends.isEmpty: return result
            default:
                guard let open = openTags.last else { throw unexpected() }
                throw source.failure(
                    "block '\(open.name)' is never closed", open.span, hint: "expected '\(ends.last ?? "")'")
            }
        }
    }

    private mutating func body(
        _ tag: String, _ span: Span, until ends: String...
    ) throws(TemplateError) -> [Statement] {
        try endTag()
        openTags.append((tag, span))
        defer { openTags.removeLast() }
        return try statements(until: ends)
    }

    private mutating func endTag() throws(TemplateError) {
        guard current.kind == .blockEnd else { throw unexpected("expected end of statement block") }
        advance()
    }

    private static let tags = [
        "for", "if", "set", "macro", "call", "filter", "include", "import", "from", "extends", "block", "do",
        "break", "continue", "with", "autoescape", "raw", "print",
    ]

    private mutating func statement(_ start: Span) throws(TemplateError) -> Statement? {
        let span = current.span
        let tag = try expectName("the name of a statement")
        let kind: Statement.Kind
        switch tag {
        case "for": kind = try loop(span)
        case "if": kind = try branch(span)
        case "set": kind = try assignment(span)
        case "macro": kind = try macro(span)
        case "call": kind = try callBlock(span)
        case "filter":
            var filter = try self.filter(nil)
            while skip(symbol: "|") { filter = try self.filter(filter) }
            kind = .filterBlock(filter, body: try self.body(tag, span, until: "endfilter"))
            advance()
            try endTag()
        case "include", "import", "from": kind = try inclusion(tag)
        case "extends":
            kind = .extends(try expression())
            try endTag()
        case "block": kind = try block(span)
        case "do":
            kind = .evaluate(try tuple())
            try endTag()
        case "print":
            kind = .output(try tuple())
            try endTag()
        case "break", "continue":
            kind = tag == "break" ? .breakLoop : .continueLoop
            try endTag()
        case "with": kind = try with(span)
        case "autoescape":
            _ = try expression()
            kind = .autoescape(body: try self.body(tag, span, until: "endautoescape"))
            advance()
            try endTag()
        default: throw unknown(tag, span)
        }
        return Statement(kind: kind, span: start.through(previousSpan))
    }

    private func unknown(_ tag: String, _ span: Span) -> TemplateError {
        if tag.hasPrefix("end") || tag == "else" || tag == "elif" {
            let hint = openTags.last.map { "innermost open block: '\($0.name)'" } ?? "no block is open"
            return source.failure("unexpected tag '\(tag)'", span, hint: hint)
        }
        return source.failure("unknown tag '\(tag)'", span, hint: suggestion(for: tag, among: Self.tags))
    }

    private mutating func loop(_ span: Span) throws(TemplateError) -> Statement.Kind {
        let target = try target(endNames: ["in"])
        if target.names.contains("loop") {
            throw source.failure("cannot assign to the special loop variable in a for loop", span)
        }
        guard skip(name: "in") else { throw unexpected("expected 'in'") }
        let sequence = try tuple(conditional: false, endNames: ["recursive"])
        let condition: Expression? = skip(name: "if") ? try expression() : nil
        let isRecursive = skip(name: "recursive")
        let body = try self.body("for", span, until: "endfor", "else")
        var otherwise: [Statement] = []
        if skip(name: "else") { otherwise = try self.body("for", span, until: "endfor") }
        advance()
        try endTag()
        return .loop(
            Loop(
                target: target, sequence: sequence, condition: condition, isRecursive: isRecursive, body: body,
                otherwise: otherwise))
    }

    private mutating func branch(_ span: Span) throws(TemplateError) -> Statement.Kind {
        var branches: [(condition: Expression, body: [Statement])] = []
        var otherwise: [Statement] = []
        repeat {
            let condition = try tuple(conditional: false)
            branches.append((condition, try body("if", span, until: "elif", "else", "endif")))
        } while skip(name: "elif")
        if skip(name: "else") { otherwise = try body("if", span, until: "endif") }
        advance()
        try endTag()
        return .branch(branches, otherwise: otherwise)
    }

    private mutating func assignment(_ span: Span) throws(TemplateError) -> Statement.Kind {
        let target = try target(endNames: [], attributes: true)
        if skip(symbol: "=") {
            let value = try tuple()
            try endTag()
            return .assign(target, value)
        }
        var filter: Expression?
        while skip(symbol: "|") { filter = try self.filter(filter) }
        let body = try self.body("set", span, until: "endset")
        advance()
        try endTag()
        return .assignBlock(target, filter: filter, body: body)
    }

    /// `a`, `a, b`, `(a, b), c` and, in `set`, `ns.a`.
    private mutating func target(
        endNames: [String], attributes: Bool = false
    ) throws(TemplateError) -> AssignmentTarget {
        let start = current.span
        var parts: [AssignmentTarget] = []
        var isTuple = false
        while true {
            if skip(symbol: "(") {
                let inner = try target(endNames: [], attributes: attributes)
                try expect(symbol: ")")
                parts.append(inner)
            } else {
                let span = current.span
                let name = try expectName("a name to assign to")
                if ["true", "false", "none", "True", "False", "None"].contains(name) {
                    throw source.failure("cannot assign to '\(name)'", span)
                }
                if attributes, skip(symbol: ".") {
                    parts.append(.attribute(name, try expectName(), span.through(previousSpan)))
                } else {
                    parts.append(.name(name, span))
                }
            }
            guard skip(symbol: ",") else { break }
            isTuple = true
            if isSymbol("=") || isSymbol(")") || endNames.contains(where: { isName($0) }) { break }
        }
        return isTuple ? .tuple(parts, start.through(previousSpan)) : parts[0]
    }

    private mutating func parameters() throws(TemplateError) -> [(name: String, fallback: Expression?)] {
        var result: [(name: String, fallback: Expression?)] = []
        try expect(symbol: "(")
        while !isSymbol(")") {
            if !result.isEmpty { try expect(symbol: ",") }
            let span = current.span
            let name = try expectName("the name of a parameter")
            if skip(symbol: "=") {
                result.append((name, try expression()))
            } else {
                if result.last?.fallback != nil {
                    throw source.failure("parameter '\(name)' without a default follows one with a default", span)
                }
                result.append((name, nil))
            }
        }
        try expect(symbol: ")")
        return result
    }

    private mutating func macroBody(
        _ name: String, _ parameters: [(name: String, fallback: Expression?)], _ tag: String, _ span: Span
    ) throws(TemplateError) -> Macro {
        if parameters.contains(where: { $0.name == "caller" && $0.fallback == nil }) {
            throw source.failure("the argument 'caller' of a macro is left out or has a default", span)
        }
        let outer = namesRead
        namesRead = []
        let body = try self.body(tag, span, until: "end" + tag)
        let inner = namesRead
        namesRead = outer.union(inner)
        advance()
        if case .name = current.kind { advance() }
        try endTag()
        return Macro(
            name: name, parameters: parameters, body: body, usesVarargs: inner.contains("varargs"),
            usesKwargs: inner.contains("kwargs"), usesCaller: inner.contains("caller"))
    }

    private mutating func macro(_ span: Span) throws(TemplateError) -> Statement.Kind {
        let name = try expectName("the name of the macro")
        return .macro(try macroBody(name, try parameters(), "macro", span))
    }

    private mutating func callBlock(_ span: Span) throws(TemplateError) -> Statement.Kind {
        let list = isSymbol("(") ? try parameters() : []
        let call = try expression()
        guard case .call = call.kind else { throw source.failure("expected a call", call.span) }
        return .callBlock(call, try macroBody("caller", list, "call", span))
    }

    private mutating func context(_ fallback: Bool) -> Bool {
        guard isName("with") || isName("without"), tokens[at + 1].kind == .name("context") else { return fallback }
        let result = isName("with")
        advance()
        advance()
        return result
    }

    private mutating func inclusion(_ tag: String) throws(TemplateError) -> Statement.Kind {
        let file = try expression()
        let kind: Statement.Kind
        switch tag {
        case "include":
            var ignore = false
            if isName("ignore"), tokens[at + 1].kind == .name("missing") {
                ignore = true
                advance()
                advance()
            }
            kind = .include(file, ignoreMissing: ignore, withContext: context(true))
        case "import":
            guard skip(name: "as") else { throw unexpected("expected 'as'") }
            kind = .importAll(file, name: try expectName(), withContext: context(false))
        default:
            guard skip(name: "import") else { throw unexpected("expected 'import'") }
            var names: [(name: String, alias: String)] = []
            var withContext = false
            while current.kind != .blockEnd {
                if !names.isEmpty { try expect(symbol: ",") }
                if current.kind == .blockEnd { break }
                let span = current.span
                let name = try expectName()
                if name.hasPrefix("_") {
                    throw source.failure("names that start with an underscore cannot be imported", span)
                }
                names.append((name, skip(name: "as") ? try expectName() : name))
                withContext = context(withContext)
            }
            kind = .importSome(file, names: names, withContext: withContext)
        }
        try endTag()
        return kind
    }

    private mutating func block(_ span: Span) throws(TemplateError) -> Statement.Kind {
        let name = try expectName("the name of the block")
        if blocks[name] != nil { throw source.failure("block '\(name)' is defined twice", span) }
        let isScoped = skip(name: "scoped")
        let isRequired = skip(name: "required")
        let body = try self.body("block", span, until: "endblock")
        if isRequired, !body.allSatisfy(\.isWhitespace) {
            throw source.failure("required blocks can only contain comments or whitespace", span)
        }
        advance()
        if case .name(let end) = current.kind {
            if end != name { throw unexpected("expected '\(name)'") }
            advance()
        }
        try endTag()
        let block = Block(name: name, isScoped: isScoped, isRequired: isRequired, body: body)
        blocks[name] = block
        return .block(block)
    }

    private mutating func with(_ span: Span) throws(TemplateError) -> Statement.Kind {
        var pairs: [(AssignmentTarget, Expression)] = []
        while current.kind != .blockEnd {
            if !pairs.isEmpty { try expect(symbol: ",") }
            let nameSpan = current.span
            let name = try expectName()
            try expect(symbol: "=")
            pairs.append((.name(name, nameSpan), try expression()))
        }
        let body = try self.body("with", span, until: "endwith")
        advance()
        try endTag()
        return .with(pairs, body: body)
    }
}
