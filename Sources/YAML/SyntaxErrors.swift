import Values

/// What libyaml found, told so that its reader knows what to change.
func diagnostic(for problem: SyntaxProblem, in text: String, _ file: SourceFile) -> Diagnostic {
    let source = Source(lines: text.split(separator: "\n", omittingEmptySubsequences: false), file: file)
    if let byte = problem.byte { return source.forbiddenCharacter(text, byte) }
    return source.mistake(problem)
}

private struct Source {
    let lines: [Substring]
    let file: SourceFile

    func line(_ index: Int) -> Substring { lines.indices.contains(index) ? lines[index] : "" }

    func character(_ position: Position) -> Character? {
        line(position.line).dropFirst(position.column).first
    }

    func error(_ message: String, _ position: Position, length: Int = 1, hint: String? = nil) -> Diagnostic {
        Diagnostic(
            message, at: Place(file: file, line: position.line + 1, column: position.column + 1), length: length,
            hint: hint)
    }

    func forbiddenCharacter(_ text: String, _ byte: Int) -> Diagnostic {
        let before = text.utf8.prefix(byte)
        let line = before.count { $0 == 0x0a }
        let start = before.lastIndex(of: 0x0a).map { text.utf8.index(after: $0) } ?? text.startIndex
        let column = text.unicodeScalars[start..<before.endIndex].count
        let scalar = before.endIndex < text.endIndex ? text.unicodeScalars[before.endIndex] : " "
        let code = String(scalar.value, radix: 16, uppercase: true)
        return error(
            "the character U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code) cannot stand in YAML",
            Position(line: line, column: column), hint: "write it as an escape in double quotes")
    }

    func mistake(_ problem: SyntaxProblem) -> Diagnostic {
        let at = problem.position
        if let template = unquotedTemplate(near: [at, problem.contextPosition]) {
            return error(
                "an unquoted template", template, length: 2,
                hint: "quote a value that begins with a template: \"{{ … }}\"")
        }
        if let tab = indentingTab(near: [at, problem.contextPosition]) {
            return error("a tab in the indentation", tab, hint: "indent with spaces")
        }
        if problem.problem.contains("escape character") || problem.problem.contains("escape hexdecimal") {
            return error(
                "an escape that YAML does not know", at,
                hint: "write '\\\\' for a backslash, or use single quotes")
        }
        if problem.context.contains("quoted scalar") {
            return error(
                "a quote without its partner", problem.contextPosition,
                hint: "the string that begins here has no end")
        }
        if problem.problem.contains("cannot start any token"), let character = character(at) {
            return error(
                "a value cannot begin with '\(character)'", at, hint: "put the value into quotes")
        }
        if problem.problem.contains("mapping values are not allowed") { return strayColon(at) }
        if problem.problem.contains("could not find expected ':'") {
            return missingColon(problem)
        }
        if problem.problem.contains("did not find expected node content") {
            let found = character(at).map { "'\($0)'" } ?? "the end of the line"
            return error("\(found) where a value was expected", at)
        }
        if let quoted = textBehindQuote(problem) { return quoted }
        if problem.context.contains("block mapping") || problem.context.contains("block collection") {
            return indentation(problem)
        }
        if problem.context.contains("flow sequence") || problem.context.contains("flow mapping") {
            let list = problem.context.contains("sequence")
            return error(
                "a \(list ? "list" : "mapping") without its '\(list ? "]" : "}")'", problem.contextPosition,
                hint: "it begins here; ',' or the closing bracket was expected at line \(at.line + 1)")
        }
        return error(problem.problem + (problem.context.isEmpty ? "" : " \(problem.context)"), at)
    }

    /// `key: {{ x }}/y` or `- {{ x }} y`, which YAML takes for a mapping.
    private func unquotedTemplate(near positions: [Position]) -> Position? {
        for position in positions {
            for index in [position.line, position.line - 1] where index >= 0 {
                let text = line(index)
                for opening in [": {{", "- {{", ": {%", "- {%"] {
                    guard let range = text.firstRange(of: opening) else { continue }
                    let before = text[..<range.lowerBound]
                    if before.contains(where: { $0 == "\"" || $0 == "'" || $0 == "#" }) { continue }
                    return Position(line: index, column: before.count + 2)
                }
            }
        }
        return nil
    }

    private func indentingTab(near positions: [Position]) -> Position? {
        for position in positions {
            for index in [position.line, position.line + 1, position.line - 1] where index >= 0 {
                let blanks = line(index).prefix { $0 == " " || $0 == "\t" }
                if let tab = blanks.firstIndex(of: "\t") {
                    return Position(line: index, column: blanks.distance(from: blanks.startIndex, to: tab))
                }
            }
        }
        return nil
    }

    /// A ':' where no key may stand: a second one in a plain value, or a line that is too deep.
    private func strayColon(_ at: Position) -> Diagnostic {
        let text = line(at.line)
        if text.prefix(at.column).contains(": ") {
            return error("a second ': ' in an unquoted value", at, hint: "put the value into quotes")
        }
        let previous = line(at.line - 1)
        let trimmed = previous.drop { $0 == " " || $0 == "-" }
        if at.line > 0, isKeyWithoutSpace(trimmed), !trimmed.contains(": ") {
            let column = previous.firstIndex(of: ":").map { previous.distance(from: previous.startIndex, to: $0) } ?? 0
            return error(
                "no space behind ':'", Position(line: at.line - 1, column: column), hint: "write 'key: value'")
        }
        let key = text.prefix { $0 == " " }.count
        return error(
            "a key where none can stand", Position(line: at.line, column: key), length: max(1, at.column - key),
            hint: "the line is indented deeper than the ones it belongs with, or the value above needs quotes")
    }

    /// Whether the line reads `key:value`.
    private func isKeyWithoutSpace(_ line: Substring) -> Bool {
        guard let first = line.first, first == "_" || first.isLetter, let colon = line.firstIndex(of: ":") else {
            return false
        }
        guard let next = line[colon...].dropFirst().first, !next.isWhitespace else { return false }
        return line[..<colon].allSatisfy { $0.isLetter || $0.isNumber || "_.-".contains($0) }
    }

    private func missingColon(_ problem: SyntaxProblem) -> Diagnostic {
        let at = problem.contextPosition
        let text = line(at.line)
        if let colon = text.dropFirst(at.column).firstIndex(of: ":"), text.index(after: colon) < text.endIndex {
            let column = text.distance(from: text.startIndex, to: colon)
            return error("no space behind ':'", Position(line: at.line, column: column), hint: "write 'key: value'")
        }
        return error(
            "a line that is neither 'key: value' nor a list item", at, length: text.dropFirst(at.column).count,
            hint: "is a ':' missing, or the indentation wrong?")
    }

    /// `key: "a" b`: the string ends at the quote.
    private func textBehindQuote(_ problem: SyntaxProblem) -> Diagnostic? {
        let at = problem.position
        let before = line(at.line).prefix(at.column)
        let trimmed = before.reversed().drop { $0 == " " }
        guard let last = trimmed.first, last == "\"" || last == "'", character(at) != nil,
            before.contains(": ") || before.contains("- ")
        else { return nil }
        return error(
            "text behind the closing quote", at, hint: "the value ends at the quote; put all of it into quotes")
    }

    private func indentation(_ problem: SyntaxProblem) -> Diagnostic {
        let at = problem.position
        let began = problem.contextPosition
        let what = problem.context.contains("mapping") ? "mapping" : "list"
        if character(at) == "-", what == "mapping" {
            return error(
                "a list item in a mapping", at,
                hint: "indent it below a key; the mapping began at line \(began.line + 1), column \(began.column + 1)")
        }
        return error(
            "the indentation fits no level above", at,
            hint: "the \(what) it could belong to began at line \(began.line + 1), column \(began.column + 1)")
    }
}
