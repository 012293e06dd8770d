package import Modules
package import Values

/// The one-line form of arguments: `key=value key="v w" the rest`.
package enum OneLine {
    /// - Parameter known: for free-form modules, the keys that are parameters; anything else belongs to the free text.
    package static func arguments(_ text: Text, freeForm: String?, known: Set<String>) -> Dict {
        var arguments = Dict()
        var free: [Substring] = []
        let text = freeForm == nil ? text : Text(withoutContinuations(text.string), mark: text.mark)
        for written in words(text.string) {
            let word = Substring(decoded(String(written)))
            if let equals = word.firstIndex(of: "="), equals != word.startIndex {
                let key = String(word[..<equals])
                let isName = key.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
                // `set_fact: {{ item }}=1`: the name is rendered when the task runs.
                let isTemplate = freeForm == nil && key.contains("{{")
                if isTemplate || (isName && (freeForm == nil || known.contains(key))) {
                    let value = unquoted(String(word[word.index(after: equals)...]))
                    let name = Value.string(isTemplate ? Text(key, mark: text.mark) : Text(key))
                    arguments[name] = .string(Text(value, mark: text.mark))
                    continue
                }
            }
            free.append(written)
        }
        guard let first = free.first, let last = free.last else { return arguments }
        // The free text keeps its own blanks where nothing was taken out of the middle.
        let string =
            arguments.isEmpty
            ? trimmedLines(text.string) : String(first == last && free.count == 1 ? first : joinedWords(free))
        arguments["_raw_params"] = .string(Text(string, mark: text.mark))
        return arguments
    }

    /// What a backslash begins in `key=value` is read as Python reads it: `\\n`, `\\t`, `\\x41`, `\\u00e9`.
    private static func decoded(_ word: String) -> String {
        guard word.contains("\\") else { return word }
        let plain: [Character: Character] = [
            "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{c}", "n": "\n", "r": "\r",
            "t": "\t", "v": "\u{b}",
        ]
        var out = ""
        var rest = Substring(word)
        while let character = rest.popFirst() {
            guard character == "\\", let next = rest.first else {
                out.append(character)
                continue
            }
            if let known = plain[next] {
                out.append(known)
                rest.removeFirst()
            } else if let width = ["x": 2, "u": 4, "U": 8][next],
                let code = UInt32(rest.dropFirst().prefix(width), radix: 16), let scalar = Unicode.Scalar(code) {
                out.unicodeScalars.append(scalar)
                rest = rest.dropFirst(width + 1)
            } else {
                out.append(character)
            }
        }
        return out
    }

    /// Lines that a backslash at their end continues become one, outside of quotes.
    private static func withoutContinuations(_ text: String) -> String {
        guard text.contains("\\\n") else { return text }
        var out = ""
        var quote: Character?
        var rest = text[...]
        while let character = rest.popFirst() {
            if let open = quote {
                if character == open, out.last != "\\" { quote = nil }
            } else if character == "\"" || character == "'", out.last != "\\" {
                quote = character
            } else if character == "\\", rest.first == "\n", out.isEmpty || out.last == " " || out.last == "\n" {
                rest.removeFirst()
                let blanks = rest.prefix { $0 == " " }.count
                rest = rest.dropFirst(blanks)
                if out.last == " " { out.removeLast() }
                out += String(repeating: " ", count: max(1, blanks))
                continue
            }
            out.append(character)
        }
        return out
    }

    /// A text of several lines keeps the end of its last one.
    private static func trimmedLines(_ text: String) -> String {
        let trimmed = text.trimmed
        guard trimmed.contains("\n") || text.hasSuffix("\n") else { return trimmed }
        return trimmed + String(text.reversed().prefix { $0 == "\n" })
    }

    private static func joinedWords(_ words: [Substring]) -> Substring { Substring(words.joined(separator: " ")) }

    package static func unquoted(_ text: String) -> String {
        guard text.count >= 2, let first = text.first, first == text.last, first == "'" || first == "\"" else {
            return text
        }
        return String(text.dropFirst().dropLast())
    }

    /// Words at blanks; quotes and Jinja braces hold them together.
    package static func words(_ text: String) -> [Substring] {
        var words: [Substring] = []
        var start: String.Index?
        var quote: Character?
        var depth = 0
        var index = text.startIndex
        var previous: Character = " "
        while index < text.endIndex {
            let character = text[index]
            if let open = quote {
                if character == open, previous != "\\" { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
                if start == nil { start = index }
            } else if character == "{",
                previous == "{" || text[index...].hasPrefix("{%") || text[index...].hasPrefix("{#") {
                depth += 1
                if start == nil { start = index }
            } else if depth > 0, character == "}", previous == "}" || previous == "%" || previous == "#" {
                depth -= 1
            } else if character.isWhitespace, depth == 0 {
                if let begun = start { words.append(text[begun..<index]) }
                start = nil
                previous = character
                index = text.index(after: index)
                continue
            }
            if start == nil { start = index }
            previous = character
            index = text.index(after: index)
        }
        if let begun = start { words.append(text[begun...]) }
        return words
    }
}

/// Load-time checks of a task's arguments: names always, values where they are literal.
package enum ArgumentCheck {
    package static func diagnostics(_ entry: ModuleEntry, _ arguments: Dict, at place: Place) -> [Diagnostic] {
        var found: [Diagnostic] = []
        let known = Set(entry.parameters.flatMap { [$0.name] + $0.aliases })
        var given: Set<String> = []
        var literal = Dict()
        for (key, value) in arguments {
            let name = key.pythonText
            let row = entry.parameters.first { $0.name == name || $0.aliases.contains(name) }
            if let row { given.insert(row.name) }
            if row == nil, !entry.options.acceptsAny {
                if name == "_raw_params", entry.options.freeForm == nil {
                    found.append(
                        Diagnostic(
                            "'\(value.pythonText)' is no parameter of module '\(entry.name)'", at: value.place ?? place,
                            notes: ["write parameters as key=value, or below the module as 'key: value'"]))
                } else if name != "_raw_params" {
                    found.append(unknown(name, entry, known, key.place ?? value.place ?? place))
                }
            }
            if row != nil, !holdsTemplate(value) { literal[key] = value }
        }
        let missing = entry.parameters.filter { $0.required && !given.contains($0.name) }
        for row in missing {
            let isFree = row.name == "_raw_params"
            found.append(
                Diagnostic(
                    isFree
                        ? "module '\(entry.name)' needs what it is to do"
                        : "module '\(entry.name)' needs parameter '\(row.name)'", at: place, length: entry.name.count,
                    hint: isFree && !row.choices.isEmpty ? "one of: \(row.choices.joined(separator: ", "))" : nil))
        }
        if missing.isEmpty, let error = entry.check(literal), let name = error.parameter, let value = literal[name],
            error.message.hasPrefix("parameter '")
        {
            let key = arguments.keys.first { $0.pythonText == name }
            found.append(wrong(entry, name, value, error.message, error.hint, at: value.place ?? key?.place ?? place))
        }
        return found
    }

    private static func wrong(
        _ entry: ModuleEntry, _ name: String, _ value: Value, _ message: String, _ hint: String?, at place: Place
    ) -> Diagnostic {
        let row = entry.parameters.first { $0.name == name || $0.aliases.contains(name) }
        let word = value.pythonText
        let near = suggestion(for: word, among: row?.choices ?? [])
        // The free text of a module has no name that anybody wrote.
        let message = name == "_raw_params"
            ? "module '\(entry.name)' has no '\(word)'" : message
        let isLine = value.text.map { !$0.contains("\n") } ?? false
        let choices = name == "_raw_params" ? row.map { "it has: \($0.choices.joined(separator: ", "))" } : nil
        return Diagnostic(message, at: place, length: isLine ? word.count : 1, hint: near ?? hint ?? choices)
    }

    private static func unknown(
        _ name: String, _ entry: ModuleEntry, _ known: Set<String>, _ place: Place
    ) -> Diagnostic {
        Diagnostic(
            "module '\(entry.name)' has no parameter '\(name)'", at: place, length: name.count,
            hint: suggestion(for: name, among: known)
                ?? "it has: " + entry.parameters.map(\.name).sorted().prefix(12).joined(separator: ", "))
    }

    static func holdsTemplate(_ value: Value) -> Bool {
        var found = false
        value.forEachText { found = found || $0.isTemplate }
        return found
    }
}
