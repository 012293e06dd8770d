/// The one-line form of arguments: `key=value key="v w" the rest`.
package enum OneLine {
    /// - Parameter known: for free-form modules, the keys that are parameters; anything else belongs to the free text.
    package static func arguments(_ text: Text, freeForm: String?, known: Set<String>) -> Dict {
        var arguments = Dict()
        var free: [Substring] = []
        let text = freeForm == nil ? text : Text(withoutContinuations(text.string), mark: text.mark)
        for raw in words(text.string) {
            let word = Substring(unescaped(raw))
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
            free.append(raw)
        }
        if free.isEmpty { return arguments }
        // The free text keeps its own blanks where nothing was taken out of the middle.
        let string =
            arguments.isEmpty
            ? trimmedLines(text.string) : joined(free, in: text.string)
        arguments["_raw_params"] = .string(Text(string, mark: text.mark))
        return arguments
    }

    /// A backslash that stands alone, outside of quotes, goes, and with it the end of its line: it continues there.
    private static func withoutContinuations(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var out = ""
        var quote: Character?
        var isContinued = false
        var rest = text[...]
        while let character = rest.popFirst() {
            if let open = quote {
                if character == open, out.last != "\\" { quote = nil }
            } else if character == "\"" || character == "'", out.last != "\\" {
                quote = character
            } else if character == "\\", out.isEmpty || out.last == " " || out.last == "\n",
                rest.first.map({ $0 == " " || $0 == "\n" }) ?? true
            {
                isContinued = true
                if rest.first == " " { rest.removeFirst() }
                continue
            } else if character == "\n", isContinued {
                isContinued = false
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
        return trimmed.contains("\n") ? trimmed + String(text.reversed().prefix { $0 == "\n" }) : trimmed
    }

    /// Escapes as in a string of Python; what is none stays.
    static func unescaped(_ word: Substring) -> String {
        guard word.utf8.contains(UInt8(ascii: "\\")) else { return String(word) }
        var result = String.UnicodeScalarView()
        var rest = word.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let kind = rest.first else {
                result.append(scalar)
                continue
            }
            rest.removeFirst()
            let digits = ["x": 2, "u": 4, "U": 8][kind]
            if let digits, let number = UInt32(String(rest.prefix(digits)), radix: 16),
                rest.prefix(digits).count == digits, let named = Unicode.Scalar(number)
            {
                rest.removeFirst(digits)
                result.append(named)
            } else if let named = escapes[kind] {
                result.append(named)
            } else {
                result.append(contentsOf: [scalar, kind])
            }
        }
        return String(result)
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{c}", "n": "\n", "r": "\r",
        "t": "\t", "v": "\u{b}",
    ]

    /// Words with a blank between two; line ends behind a word stay.
    private static func joined(_ words: [Substring], in text: String) -> String {
        var out = ""
        for word in words {
            if !out.isEmpty, out.last != "\n" { out += " " }
            out += word + String(text[word.endIndex...].prefix { $0.isWhitespace }.filter { $0 == "\n" })
        }
        return text.trimmed.contains("\n") ? out : out.trimmed
    }

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
