import Values

/// An expression of Python, as far as people write them at a prompt.
indirect enum Term {
    case constant(Value)
    case name(String)
    case list([Term])
    case dict([(Term, Term)])
    case attribute(Term, String)
    case item(Term, Term)
    case slice(Term, Term?, Term?, Term?)
    case call(Term, [Term], [(String, Term)])
    /// An operator that stands before its operand, or between two.
    case prefix(String, Term)
    case infix(String, Term, Term)
    case conditional(Term, then: Term, otherwise: Term)
    /// `[term for name in source if condition]`
    case comprehension(Term, String, Term, Term?)
}

/// A line of Python.
enum Sentence {
    case evaluate(Term)
    case assign([Term], Term)
    /// `a += b`
    case augment(Term, String, Term)
    case delete([Term])
}

/// What Python would raise.
struct PythonError: Error {
    let kind: String
    /// As `repr()` shows them.
    let arguments: String

    init(_ kind: String, _ message: String) {
        self.kind = kind
        arguments = Value.string(message).pythonRepr
    }
    init(_ kind: String, arguments: String) {
        self.kind = kind
        self.arguments = arguments
    }
    var text: String { "***\(kind):\(kind)(\(arguments))" }
}

/// Reads terms and sentences.
struct TermReader {
    private enum Token: Equatable {
        case name(String), constant(Value), sign(String), end
    }
    private let line: String
    private let isExpression: Bool
    private var tokens: [(token: Token, start: Int, end: Int)] = []
    private var index = 0
    // Deeper than anyone writes, and short of what the stack holds.
    private var depth = 0
    private static let depthLimit = 100
    private static let words: Set<String> = ["if", "else", "and", "or", "not", "in", "is", "for", "del"]
    private static let signs = [
        "**=", "//=", "**", "//", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "|=", "+", "-", "*", "/", "%",
        "|", "&", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";",
    ]

    static func term(_ line: String) throws(PythonError) -> Term {
        var reader = try TermReader(line, isExpression: true)
        let term = try reader.terms()
        try reader.expectEnd()
        return term
    }

    static func sentence(_ line: String) throws(PythonError) -> Sentence {
        var reader = try TermReader(line, isExpression: false)
        let sentence = try reader.sentence()
        try reader.expectEnd()
        return sentence
    }

    private init(_ line: String, isExpression: Bool) throws(PythonError) {
        self.line = line
        self.isExpression = isExpression
        try split()
    }

    // MARK: Tokens

    private func problem(_ start: Int, _ end: Int) -> PythonError {
        let shown = Value.string(isExpression ? line : line + "\n").pythonRepr
        let row = isExpression && line.isEmpty ? 0 : 1
        let name = isExpression ? "<string>" : "<stdin>"
        return PythonError(
            "SyntaxError", arguments: "'invalid syntax', ('\(name)', \(row), \(start), \(shown), \(row), \(end))")
    }

    private mutating func split() throws(PythonError) {
        let text = Array(line.unicodeScalars)
        var at = 0
        func isWord(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar.properties.isAlphabetic }
        func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
        while at < text.count {
            let start = at
            let first = text[at]
            if first == " " || first == "\t" {
                at += 1
                continue
            }
            if first == "#" { break }
            if first == "'" || first == "\"" {
                let value = try string(text, &at)
                tokens.append((.constant(.string(value)), start + 1, at + 1))
                continue
            }
            if isWord(first) {
                while at < text.count, isWord(text[at]) || isDigit(text[at]) { at += 1 }
                tokens.append((word(String(String.UnicodeScalarView(text[start..<at]))), start + 1, at + 1))
                continue
            }
            if isDigit(first) {
                let isMember = tokens.last?.token == .sign(".")
                while at < text.count, isDigit(text[at]) || text[at] == "_" || (text[at] == "." && !isMember) {
                    at += 1
                }
                let digits = String(String.UnicodeScalarView(text[start..<at].filter { $0 != "_" }))
                let value = Value.integer(digits: digits) ?? Double(digits).map { .double($0) }
                guard let value else { throw problem(start + 1, at + 1) }
                tokens.append((.constant(value), start + 1, at + 1))
                continue
            }
            let rest = String(String.UnicodeScalarView(text[at..<min(at + 3, text.count)]))
            guard let sign = Self.signs.first(where: { rest.hasPrefix($0) }) else { throw problem(at + 1, at + 2) }
            at += sign.count
            tokens.append((.sign(sign), start + 1, at + 1))
        }
        // Python counts from nothing where an expression ends too early.
        let end = isExpression ? 0 : text.count + 1
        tokens.append((.end, end, end))
    }

    private func word(_ word: String) -> Token {
        switch word {
        case "True": .constant(true)
        case "False": .constant(false)
        case "None": .constant(.null)
        default: Self.words.contains(word) ? .sign(word) : .name(word)
        }
    }

    /// A literal, its escapes resolved.
    private func string(_ text: [Unicode.Scalar], _ at: inout Int) throws(PythonError) -> String {
        let start = at
        let quote = text[at]
        var out = String.UnicodeScalarView()
        at += 1
        while at < text.count, text[at] != quote {
            guard text[at] == "\\", at + 1 < text.count else {
                out.append(text[at])
                at += 1
                continue
            }
            let letter = text[at + 1]
            at += 2
            let simple: [Unicode.Scalar: Unicode.Scalar] = [
                "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "0": "\0",
            ]
            let lengths: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
            if let plain = simple[letter] {
                out.append(plain)
            } else if let length = lengths[letter] {
                let digits = String(String.UnicodeScalarView(text[at..<min(at + length, text.count)]))
                guard digits.count == length, let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code)
                else { throw problem(start + 1, at + 1) }
                out.append(scalar)
                at += length
            } else {
                out.append("\\")
                out.append(letter)
            }
        }
        guard at < text.count else { throw problem(start + 1, start + 1) }
        at += 1
        return String(out)
    }

    // MARK: Sentences

    private var token: Token { tokens[index].token }

    private var here: PythonError { problem(tokens[index].start, tokens[index].end) }

    private mutating func take(_ sign: String) -> Bool {
        guard token == .sign(sign) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ sign: String) throws(PythonError) { guard take(sign) else { throw here } }

    private func expectEnd() throws(PythonError) { guard token == .end else { throw here } }

    private mutating func sentence() throws(PythonError) -> Sentence {
        if take("del") {
            var targets = [try expression()]
            while take(",") { targets.append(try expression()) }
            return .delete(targets)
        }
        let first = try terms()
        for sign in ["+", "-", "*", "/", "//", "%", "**", "|"] where take(sign + "=") {
            return .augment(first, sign, try terms())
        }
        guard take("=") else { return .evaluate(first) }
        var parts = [first, try terms()]
        while take("=") { parts.append(try terms()) }
        let value = parts.removeLast()
        return .assign(parts, value)
    }

    /// One term; several with commas between them are a tuple, which is a list here.
    private mutating func terms() throws(PythonError) -> Term {
        let first = try expression()
        guard token == .sign(",") else { return first }
        var items = [first]
        while take(","), token != .end, token != .sign(")"), token != .sign("=") { items.append(try expression()) }
        return .list(items)
    }

    // MARK: Terms

    private mutating func expression() throws(PythonError) -> Term {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.depthLimit else { throw PythonError("MemoryError", "the expression is nested too deep") }
        let term = try either()
        guard take("if") else { return term }
        let condition = try either()
        try expect("else")
        return .conditional(condition, then: term, otherwise: try expression())
    }

    private mutating func either() throws(PythonError) -> Term {
        var term = try both()
        while take("or") { term = .infix("or", term, try both()) }
        return term
    }

    private mutating func both() throws(PythonError) -> Term {
        var term = try negation()
        while take("and") { term = .infix("and", term, try negation()) }
        return term
    }

    private mutating func negation() throws(PythonError) -> Term {
        var count = 0
        while take("not") { count += 1 }
        var term = try comparison()
        for _ in 0..<count { term = .prefix("not", term) }
        return term
    }

    private mutating func comparison() throws(PythonError) -> Term {
        var left = try arithmetic(0)
        var whole: Term?
        while let sign = comparator() {
            let right = try arithmetic(0)
            let pair = Term.infix(sign, left, right)
            whole = whole.map { .infix("and", $0, pair) } ?? pair
            left = right
        }
        return whole ?? left
    }

    private mutating func comparator() -> String? {
        for sign in ["==", "!=", "<=", ">=", "<", ">", "in"] where take(sign) { return sign }
        if take("is") { return take("not") ? "is not" : "is" }
        guard token == .sign("not"), tokens[index + 1].token == .sign("in") else { return nil }
        index += 2
        return "not in"
    }

    private static let levels = [["|"], ["&"], ["+", "-"], ["*", "/", "//", "%"]]

    private mutating func arithmetic(_ level: Int) throws(PythonError) -> Term {
        guard level < Self.levels.count else { return try signed() }
        var term = try arithmetic(level + 1)
        while let sign = Self.levels[level].first(where: { token == .sign($0) }) {
            index += 1
            term = .infix(sign, term, try arithmetic(level + 1))
        }
        return term
    }

    private mutating func signed() throws(PythonError) -> Term {
        var signs: [String] = []
        while let sign = ["-", "+"].first(where: { token == .sign($0) }) {
            index += 1
            signs.append(sign)
        }
        var term = try member()
        if take("**") { term = .infix("**", term, try signed()) }
        for sign in signs.reversed() { term = .prefix(sign, term) }
        return term
    }

    private mutating func member() throws(PythonError) -> Term {
        var term = try atom()
        while true {
            if take(".") {
                guard case .name(let name) = token else { throw here }
                index += 1
                term = .attribute(term, name)
            } else if take("[") {
                term = try subscripted(term)
            } else if take("(") {
                term = try called(term)
            } else {
                return term
            }
        }
    }

    private mutating func subscripted(_ term: Term) throws(PythonError) -> Term {
        var bounds: [Term?] = [nil]
        while token != .sign("]") {
            if take(":") {
                bounds.append(nil)
            } else {
                bounds[bounds.count - 1] = try expression()
                guard token == .sign(":") || token == .sign("]") else { throw here }
            }
        }
        try expect("]")
        if bounds.count == 1, let key = bounds[0] { return .item(term, key) }
        guard (2...3).contains(bounds.count) else { throw here }
        return .slice(term, bounds[0], bounds[1], bounds.count > 2 ? bounds[2] : nil)
    }

    private mutating func called(_ term: Term) throws(PythonError) -> Term {
        var positional: [Term] = []
        var named: [(String, Term)] = []
        while !take(")") {
            if case .name(let name) = token, tokens[index + 1].token == .sign("=") {
                index += 2
                named.append((name, try expression()))
            } else {
                positional.append(try expression())
            }
            if !take(","), token != .sign(")") { throw here }
        }
        return .call(term, positional, named)
    }

    private mutating func atom() throws(PythonError) -> Term {
        switch token {
        case .constant(var value):
            index += 1
            while case .constant(.string(let more)) = token, case .string(let text) = value {
                value = .string(text.string + more.string)
                index += 1
            }
            return .constant(value)
        case .name(let name):
            index += 1
            return .name(name)
        case .sign("("):
            index += 1
            if take(")") { return .list([]) }
            let term = try terms()
            try expect(")")
            return term
        case .sign("["):
            index += 1
            return try list()
        case .sign("{"):
            index += 1
            return try dict()
        default: throw here
        }
    }

    private mutating func list() throws(PythonError) -> Term {
        var items: [Term] = []
        while !take("]") {
            items.append(try expression())
            if items.count == 1, take("for") {
                guard case .name(let name) = token else { throw here }
                index += 1
                try expect("in")
                let source = try either()
                let condition = take("if") ? try either() : nil
                try expect("]")
                return .comprehension(items[0], name, source, condition)
            }
            if !take(","), token != .sign("]") { throw here }
        }
        return .list(items)
    }

    private mutating func dict() throws(PythonError) -> Term {
        var pairs: [(Term, Term)] = []
        while !take("}") {
            let key = try expression()
            try expect(":")
            pairs.append((key, try expression()))
            if !take(","), token != .sign("}") { throw here }
        }
        return .dict(pairs)
    }
}
