import Values

struct Token: Sendable {
    enum Kind: Sendable, Equatable {
        case text(String)
        case variableBegin, variableEnd, blockBegin, blockEnd
        case name(String), string(String), integer(String), float(Double)
        case symbol(String)
        case end
    }
    var kind: Kind
    var span: Span
}

/// Cuts a template into tokens as Jinja2 does: delimiters, whitespace control, raw blocks, comments.
struct Lexer {
    let source: Source
    private let scalars: [Unicode.Scalar]
    private let options: FileOptions
    private var at = 0
    private var tokens: [Token] = []
    /// Brackets that are open: an end delimiter inside them is text of the expression.
    private var brackets: [Unicode.Scalar] = []

    init(_ source: Source, _ options: FileOptions) {
        self.source = source
        self.options = options
        scalars = Array(source.text.unicodeScalars)
    }

    /// Line ends as Jinja2 normalizes them, and the last one dropped where asked.
    static func normalized(_ text: String, keepTrailingNewline: Bool) -> String {
        var out = String.UnicodeScalarView()
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            if scalar == "\n", previous == "\r" { previous = scalar; continue }
            out.append(scalar == "\r" ? "\n" : scalar)
            previous = scalar
        }
        if !keepTrailingNewline, out.last == "\n" { out.removeLast() }
        return String(out)
    }

    private enum Opening { case block, variable, comment, lineStatement, lineComment }

    mutating func template() throws(TemplateError) -> [Token] {
        while at < scalars.count {
            guard let (start, opening, length) = nextOpening() else {
                addText(at..<scalars.count)
                at = scalars.count
                break
            }
            try open(opening, start, length)
        }
        tokens.append(Token(kind: .end, span: Span(scalars.count, 1)))
        return tokens
    }

    /// Tokens of a bare expression.
    mutating func expression() throws(TemplateError) -> [Token] {
        try code(until: nil, literalBackslashes: options.literalBackslashes)
        tokens.append(Token(kind: .end, span: Span(scalars.count, 1)))
        return tokens
    }

    private func has(_ text: String, at offset: Int) -> Bool {
        var index = offset
        for scalar in text.unicodeScalars {
            guard index < scalars.count, scalars[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    private func nextOpening() -> (Int, Opening, Int)? {
        let all: [(String, Opening)] = [
            (options.blockStart, .block), (options.variableStart, .variable), (options.commentStart, .comment),
        ].sorted { $0.0.unicodeScalars.count > $1.0.unicodeScalars.count }
        let firsts = Set(all.compactMap { $0.0.unicodeScalars.first })
        let lines: [(String, Opening)] = [
            options.lineStatementPrefix.map { ($0, Opening.lineStatement) },
            options.lineCommentPrefix.map { ($0, Opening.lineComment) },
        ].compactMap { $0 }.sorted { $0.0.count > $1.0.count }
        var index = at
        var lineStart = index == 0 || scalars[index - 1] == "\n"
        while index < scalars.count {
            if !lines.isEmpty, lineStart {
                var start = index
                while start < scalars.count, isBlank(scalars[start]) { start += 1 }
                for (text, opening) in lines where has(text, at: start) {
                    return (index, opening, start - index + text.unicodeScalars.count)
                }
            }
            if firsts.contains(scalars[index]) {
                for (text, opening) in all where has(text, at: index) {
                    return (index, opening, text.unicodeScalars.count)
                }
            }
            if let prefix = options.lineCommentPrefix, has(prefix, at: index) {
                return (index, .lineComment, prefix.unicodeScalars.count)
            }
            lineStart = scalars[index] == "\n"
            index += 1
        }
        return nil
    }

    private func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\u{b}" }
    private func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    private mutating func addText(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var text = String(String.UnicodeScalarView(scalars[range]))
        if options.newline != "\n" { text = text.split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: options.newline) }
        tokens.append(Token(kind: .text(text), span: Span(range.lowerBound, range.count)))
    }

    /// The text before an opening, with what `-`, `+` and `lstrip_blocks` take off.
    private mutating func addText(before start: Int, sign: Unicode.Scalar?, lstrip: Bool) {
        var end = start
        if sign == "-" {
            while end > at, isSpace(scalars[end - 1]) { end -= 1 }
        } else if sign != "+", lstrip {
            var line = start
            while line > at, scalars[line - 1] != "\n", isSpace(scalars[line - 1]) { line -= 1 }
            if line == 0 || scalars[line - 1] == "\n" { end = line }
        }
        addText(at..<end)
    }

    private mutating func open(_ opening: Opening, _ start: Int, _ length: Int) throws(TemplateError) {
        var inner = start + length
        if opening == .lineStatement || opening == .lineComment {
            var end = start
            if opening == .lineComment { while end > at, isBlank(scalars[end - 1]) { end -= 1 } }
            addText(at..<end)
            at = inner
            try line(opening, start)
            return
        }
        var sign: Unicode.Scalar?
        if inner < scalars.count, scalars[inner] == "-" || scalars[inner] == "+" {
            // In `{{ +1 }}` a sign may belong to the expression only behind a blank, as in Jinja2.
            sign = scalars[inner]
            inner += 1
        }
        switch opening {
        case .comment:
            addText(before: start, sign: sign, lstrip: options.lstripBlocks)
            try comment(from: inner, start)
        case .variable:
            addText(before: start, sign: sign, lstrip: false)
            tokens.append(Token(kind: .variableBegin, span: Span(start, inner - start)))
            at = inner
            try code(until: options.variableEnd, literalBackslashes: options.literalBackslashes)
            close(.variableEnd, options.variableEnd)
        default:
            addText(before: start, sign: sign, lstrip: options.lstripBlocks)
            if let body = rawBegin(inner) {
                try raw(body, start)
            } else {
                tokens.append(Token(kind: .blockBegin, span: Span(start, inner - start)))
                at = inner
                try code(until: options.blockEnd, literalBackslashes: false)
                close(.blockEnd, options.blockEnd)
            }
        }
    }

    private mutating func line(_ opening: Opening, _ start: Int) throws(TemplateError) {
        if opening == .lineComment {
            while at < scalars.count, scalars[at] != "\n" { at += 1 }
            return
        }
        tokens.append(Token(kind: .blockBegin, span: Span(start, at - start)))
        if at < scalars.count, scalars[at] == "-" || scalars[at] == "+" { at += 1 }
        try code(until: "\n", literalBackslashes: false)
        if case .symbol(":") = tokens.last?.kind { tokens.removeLast() }
        tokens.append(Token(kind: .blockEnd, span: Span(at, 1)))
        if at < scalars.count { at += 1 }
    }

    private mutating func comment(from inner: Int, _ start: Int) throws(TemplateError) {
        var index = inner
        while index < scalars.count {
            if has(options.commentEnd, at: index) {
                let sign = index > inner ? scalars[index - 1] : " "
                at = index + options.commentEnd.unicodeScalars.count
                finish(sign, trims: true)
                return
            }
            index += 1
        }
        let hint = "close it with '\(options.commentEnd)'"
        throw source.failure("missing end of comment tag", Span(start, 2), hint: hint)
    }

    /// Behind an end delimiter: `-` takes all blanks, otherwise a block takes one line end.
    private mutating func finish(_ sign: Unicode.Scalar, trims: Bool) {
        if sign == "-" {
            while at < scalars.count, isSpace(scalars[at]) { at += 1 }
        } else if trims, sign != "+", options.trimBlocks, at < scalars.count, scalars[at] == "\n" {
            at += 1
        }
    }

    private mutating func close(_ kind: Token.Kind, _ end: String) {
        var sign: Unicode.Scalar = " "
        let start = at
        if at < scalars.count, scalars[at] == "-" || scalars[at] == "+", has(end, at: at + 1) {
            sign = scalars[at]
            at += 1
        }
        at += end.unicodeScalars.count
        tokens.append(Token(kind: kind, span: Span(start, at - start)))
        finish(sign, trims: kind == .blockEnd)
    }

    /// The offset behind `raw %}`, if that is what follows, with its sign.
    private func rawBegin(_ inner: Int) -> Int? { tagEnd("raw", inner) }

    private func tagEnd(_ word: String, _ from: Int) -> Int? {
        var index = from
        while index < scalars.count, isSpace(scalars[index]) { index += 1 }
        guard has(word, at: index) else { return nil }
        index += word.unicodeScalars.count
        while index < scalars.count, isSpace(scalars[index]) { index += 1 }
        return index
    }

    private mutating func raw(_ body: Int, _ start: Int) throws(TemplateError) {
        var index = body
        var sign: Unicode.Scalar = " "
        if index < scalars.count, scalars[index] == "-" || scalars[index] == "+" {
            sign = scalars[index]
            index += 1
        }
        guard has(options.blockEnd, at: index) else {
            throw source.failure("unexpected text behind 'raw'", Span(body, 1))
        }
        at = index + options.blockEnd.unicodeScalars.count
        if sign == "-" { finish("-", trims: false) }
        index = at
        while index < scalars.count {
            if has(options.blockStart, at: index) {
                var inner = index + options.blockStart.unicodeScalars.count
                var before: Unicode.Scalar?
                if inner < scalars.count, scalars[inner] == "-" || scalars[inner] == "+" {
                    before = scalars[inner]
                    inner += 1
                }
                if var end = tagEnd("endraw", inner) {
                    var after: Unicode.Scalar = " "
                    if end < scalars.count, scalars[end] == "-" || scalars[end] == "+" {
                        after = scalars[end]
                        end += 1
                    }
                    if has(options.blockEnd, at: end) {
                        addText(before: index, sign: before, lstrip: options.lstripBlocks)
                        at = end + options.blockEnd.unicodeScalars.count
                        finish(after, trims: true)
                        return
                    }
                }
            }
            index += 1
        }
        throw source.failure("missing end of raw directive", Span(start, 2), hint: "close it with 'endraw'")
    }

    private func atEnd(_ end: String?) -> Bool {
        guard let end else { return at >= scalars.count }
        if end == "\n" { return at >= scalars.count || scalars[at] == "\n" }
        if has(end, at: at) { return true }
        return at < scalars.count && (scalars[at] == "-" || scalars[at] == "+") && has(end, at: at + 1)
    }

    private mutating func code(until end: String?, literalBackslashes: Bool) throws(TemplateError) {
        let start = at
        brackets = []
        while true {
            if end == "\n" {
                while at < scalars.count, scalars[at] != "\n", isSpace(scalars[at]) { at += 1 }
            } else {
                while at < scalars.count, isSpace(scalars[at]) { at += 1 }
            }
            if brackets.isEmpty, atEnd(end) { return }
            guard at < scalars.count else {
                if end == nil, brackets.isEmpty { return }
                let what = brackets.last.map { "'\(String($0))' is never closed" } ?? "unexpected end of template"
                throw source.failure(what, Span(max(0, start - 2), 2), hint: end.map { "expected '\($0)'" })
            }
            try token(literalBackslashes: literalBackslashes)
        }
    }

    private mutating func token(literalBackslashes: Bool) throws(TemplateError) {
        let scalar = scalars[at]
        if scalar == "\"" || scalar == "'" { return try string(scalar, literalBackslashes) }
        if ("0"..."9").contains(scalar), number() { return }
        if isWord(scalar) {
            let start = at
            while at < scalars.count, isWord(scalars[at]) { at += 1 }
            add(.name(String(String.UnicodeScalarView(scalars[start..<at]))), start)
            return
        }
        let start = at
        for text in ["//", "**", "==", "!=", ">=", "<="] where has(text, at: at) {
            at += 2
            return add(.symbol(text), start)
        }
        guard "+-/*%~[](){}><=.:|,;".unicodeScalars.contains(scalar) else {
            throw source.failure("unexpected character '\(String(scalar))'", Span(at, 1))
        }
        try balance(scalar)
        at += 1
        add(.symbol(String(Character(scalar))), start)
    }

    private mutating func balance(_ scalar: Unicode.Scalar) throws(TemplateError) {
        let pairs: [Unicode.Scalar: Unicode.Scalar] = ["(": ")", "[": "]", "{": "}"]
        if let closing = pairs[scalar] {
            brackets.append(closing)
        } else if scalar == ")" || scalar == "]" || scalar == "}" {
            guard let wanted = brackets.popLast() else {
                throw source.failure("unexpected '\(String(scalar))'", Span(at, 1))
            }
            if wanted != scalar {
                let hint = "expected '\(String(wanted))'"
                throw source.failure("unexpected '\(String(scalar))'", Span(at, 1), hint: hint)
            }
        }
    }

    private func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 {
            return scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
                || ("0"..."9").contains(scalar)
        }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private mutating func add(_ kind: Token.Kind, _ start: Int) {
        tokens.append(Token(kind: kind, span: Span(start, at - start)))
    }

    private mutating func number() -> Bool {
        let start = at
        var index = at
        func digits(_ allowed: (Unicode.Scalar) -> Bool) {
            while index < scalars.count {
                if allowed(scalars[index]) { index += 1 } else if scalars[index] == "_", index > start,
                    index + 1 < scalars.count, allowed(scalars[index + 1])
                { index += 2 } else { break }
            }
        }
        let decimal: (Unicode.Scalar) -> Bool = { ("0"..."9").contains($0) }
        if scalars[at] == "0", at + 2 < scalars.count + 1, at + 1 < scalars.count,
            let radix = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2][String(scalars[at + 1])]
        {
            index = at + 2
            digits { Character($0).hexDigitValue.map { $0 < radix } ?? false }
            if index > at + 2 {
                at = index
                add(.integer(text(start)), start)
                return true
            }
            index = at
        }
        digits(decimal)
        var isFloat = false
        let afterDot = start > 0 && scalars[start - 1] == "."
        if !afterDot, index + 1 < scalars.count, scalars[index] == ".", decimal(scalars[index + 1]) {
            isFloat = true
            index += 1
            digits(decimal)
        }
        if !afterDot, index < scalars.count, scalars[index] == "e" || scalars[index] == "E" {
            var exponent = index + 1
            if exponent < scalars.count, scalars[exponent] == "+" || scalars[exponent] == "-" { exponent += 1 }
            if exponent < scalars.count, decimal(scalars[exponent]) {
                isFloat = true
                index = exponent
                digits(decimal)
            }
        }
        at = index
        let plain = text(start)
        if isFloat {
            add(.float(Double(plain) ?? .nan), start)
        } else {
            // `08` is no number, and a name may start with a digit in Jinja2's lexer.
            let isOctalLike = plain.hasPrefix("0") && plain.contains { $0 != "0" }
            if isOctalLike { at = start; return false }
            add(.integer(plain), start)
        }
        return true
    }

    private func text(_ start: Int) -> String {
        String(String.UnicodeScalarView(scalars[start..<at].filter { $0 != "_" }))
    }

    private mutating func string(_ quote: Unicode.Scalar, _ literalBackslashes: Bool) throws(TemplateError) {
        let start = at
        at += 1
        var body: [Unicode.Scalar] = []
        while at < scalars.count, scalars[at] != quote {
            if scalars[at] == "\\", at + 1 < scalars.count {
                body.append("\\")
                at += 1
            }
            body.append(scalars[at])
            at += 1
        }
        guard at < scalars.count else {
            throw source.failure("string is never closed", Span(start, 1), hint: "expected \(String(quote))")
        }
        at += 1
        let plain = String(String.UnicodeScalarView(body))
        add(.string(literalBackslashes ? plain : Escapes.decoded(plain)), start)
    }
}

/// Python's escapes in string literals.
enum Escapes {
    static func decoded(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        let scalars = Array(text.unicodeScalars)
        var out = String.UnicodeScalarView()
        var at = 0
        while at < scalars.count {
            guard scalars[at] == "\\", at + 1 < scalars.count else {
                out.append(scalars[at])
                at += 1
                continue
            }
            let next = scalars[at + 1]
            if let plain = simple[next] {
                out.append(plain)
                at += 2
            } else if next == "\n" {
                at += 2
            } else if let width = ["x": 2, "u": 4, "U": 8][String(next)],
                let scalar = hex(scalars, at + 2, width)
            {
                out.append(scalar)
                at += 2 + width
            } else if ("0"..."7").contains(next) {
                let digits = scalars[(at + 1)..<min(scalars.count, at + 4)].prefix { ("0"..."7").contains($0) }
                let value = digits.reduce(0) { $0 * 8 + UInt32($1.value - 48) }
                out.append(Unicode.Scalar(value) ?? "\u{fffd}")
                at += 1 + digits.count
            } else {
                out.append("\\")
                out.append(next)
                at += 2
            }
        }
        return String(out)
    }

    private static let simple: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{c}",
        "v": "\u{b}",
    ]

    private static func hex(_ scalars: [Unicode.Scalar], _ start: Int, _ width: Int) -> Unicode.Scalar? {
        guard start + width <= scalars.count else { return nil }
        let text = String(String.UnicodeScalarView(scalars[start..<(start + width)]))
        return UInt32(text, radix: 16).flatMap(Unicode.Scalar.init)
    }
}
