import Values

/// A value as Python's `pprint` writes it: in lines of 80 columns, the keys of mappings sorted.
struct PrettyText {
    private static let width = 80
    private(set) var text = ""

    init(_ value: Value) { write(value, 0, 0, level: 1) }

    private static func repr(_ value: Value) -> String { sorted(value).pythonRepr }

    private static func sorted(_ value: Value) -> Value {
        switch value {
        case .list(let list): .list(list.map(sorted))
        case .dict(let dict): .dict(Dict(uniqueKeysWithValues: pairs(dict).map { ($0, sorted($1)) }))
        default: value
        }
    }

    private static func pairs(_ dict: Dict) -> [(Value, Value)] {
        dict.map { ($0.key, $0.value) }.sorted { left, right in
            if let first = left.0.number, let second = right.0.number { return first < second }
            return left.0.pythonText.unicodeScalars.lexicographicallyPrecedes(right.0.pythonText.unicodeScalars)
        }
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }

    private static func length(_ text: String) -> Int { text.unicodeScalars.count }

    /// - Parameter allowance: columns that what follows on the line needs.
    private mutating func write(_ value: Value, _ indent: Int, _ allowance: Int, level: Int) {
        let plain = Self.repr(value)
        guard Self.length(plain) > Self.width - indent - allowance else {
            text += plain
            return
        }
        switch value {
        case .dict(let dict) where !dict.isEmpty: write(dict, indent, allowance + 1, level)
        case .list(let list) where !list.isEmpty: write(list, indent, allowance + 1, level)
        case .string(let string): write(string.string, indent, allowance, level)
        default: text += plain
        }
    }

    private mutating func write(_ dict: Dict, _ outer: Int, _ allowance: Int, _ level: Int) {
        let indent = outer + 1
        let pairs = Self.pairs(dict)
        text += "{"
        for (index, (key, value)) in pairs.enumerated() {
            let name = Self.repr(key)
            let isLast = index == pairs.count - 1
            text += name + ": "
            write(value, indent + Self.length(name) + 2, isLast ? allowance : 1, level: level + 1)
            if !isLast { text += ",\n" + Self.blanks(indent) }
        }
        text += "}"
    }

    private mutating func write(_ list: [Value], _ outer: Int, _ allowance: Int, _ level: Int) {
        let indent = outer + 1
        text += "["
        for (index, value) in list.enumerated() {
            if index > 0 { text += ",\n" + Self.blanks(indent) }
            write(value, indent, index == list.count - 1 ? allowance : 1, level: level + 1)
        }
        text += "]"
    }

    /// A long string in pieces, each a literal of its own.
    private mutating func write(_ string: String, _ outer: Int, _ given: Int, _ level: Int) {
        let indent = level == 1 ? outer + 1 : outer
        let allowance = level == 1 ? given + 1 : given
        let width = Self.width - indent
        var chunks: [String] = []
        let lines = Self.lines(string)
        for (index, line) in lines.enumerated() {
            let isLast = index == lines.count - 1
            let whole = Value.string(line).pythonRepr
            if Self.length(whole) <= width - (isLast ? allowance : 0) {
                chunks.append(whole)
                continue
            }
            let words = Self.words(line)
            var current = ""
            for (number, word) in words.enumerated() {
                let candidate = Value.string(current + word).pythonRepr
                let room = width - (isLast && number == words.count - 1 ? allowance : 0)
                if Self.length(candidate) > room {
                    if !current.isEmpty { chunks.append(Value.string(current).pythonRepr) }
                    current = word
                } else {
                    current += word
                }
            }
            if !current.isEmpty { chunks.append(Value.string(current).pythonRepr) }
        }
        let isWrapped = level == 1 && chunks.count > 1
        text += (isWrapped ? "(" : "") + chunks.joined(separator: "\n" + Self.blanks(indent)) + (isWrapped ? ")" : "")
    }

    /// Lines with their ends.
    private static func lines(_ string: String) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        for scalar in string.unicodeScalars {
            line.append(scalar)
            guard scalar == "\n" else { continue }
            lines.append(String(line))
            line = String.UnicodeScalarView()
        }
        if !line.isEmpty { lines.append(String(line)) }
        return lines
    }

    /// Words with the blanks behind them.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        var endsInBlank = false
        for scalar in line.unicodeScalars {
            let isBlank = scalar.properties.isWhitespace
            if endsInBlank, !isBlank {
                words.append(String(word))
                word = String.UnicodeScalarView()
            }
            word.append(scalar)
            endsInBlank = isBlank
        }
        if !word.isEmpty { words.append(String(word)) }
        return words
    }
}
