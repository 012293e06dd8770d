import Values

/// An import statement of a Python file.
package struct PythonImport: Hashable {
    /// Dots in front: 0 for an absolute import.
    package var level: Int
    /// The module, in its parts; empty for `from . import x`.
    package var module: [String]
    /// What is taken from it; empty for `import a.b`.
    package var names: [String]
    /// Below something (a `try`, a function): the file may do without it.
    package var isOptional: Bool

    package init(level: Int, module: [String], names: [String], isOptional: Bool) {
        self.level = level
        self.module = module
        self.names = names
        self.isOptional = isOptional
    }
}

/// Reads the import statements of Python source, and nothing else of it.
///
/// Strings and comments are passed over, lines are joined as Python joins them; what is indented, or stands behind a
/// colon, is optional.
package struct PythonImports {
    private let bytes: [UInt8]
    private var at = 0
    private var found: [PythonImport] = []
    private var statement: [UInt8] = []
    private var isNested = false
    private var depth = 0

    package static func read(_ source: [UInt8]) -> [PythonImport] {
        var reader = PythonImports(bytes: source)
        reader.readAll()
        return reader.found
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func readAll() {
        var isLineStart = true
        while at < bytes.count {
            let byte = bytes[at]
            if isLineStart {
                isNested = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
                isLineStart = false
            }
            switch byte {
            case UInt8(ascii: "#"): while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { at += 1 }
            case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString(byte)
            case UInt8(ascii: "\\"):
                at += at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: "\r") ? 3 : 2
                statement.append(UInt8(ascii: " "))
            case UInt8(ascii: "\n"):
                at += 1
                if depth > 0 {
                    statement.append(UInt8(ascii: " "))
                } else {
                    end()
                    isLineStart = true
                }
            case UInt8(ascii: ";") where depth == 0, UInt8(ascii: ":") where depth == 0:
                end()
                if byte == UInt8(ascii: ":") { isNested = true }
                at += 1
            default:
                if "([{".utf8.contains(byte) { depth += 1 }
                if ")]}".utf8.contains(byte) { depth = max(0, depth - 1) }
                statement.append(byte)
                at += 1
            }
        }
        end()
    }

    private mutating func skipString(_ quote: UInt8) {
        let isTriple = at + 2 < bytes.count && bytes[at + 1] == quote && bytes[at + 2] == quote
        at += isTriple ? 3 : 1
        statement.append(UInt8(ascii: "'"))
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\\") {
                at += 2
                continue
            }
            if isTriple {
                if bytes[at] == quote, at + 2 < bytes.count, bytes[at + 1] == quote, bytes[at + 2] == quote {
                    at += 3
                    return
                }
            } else if bytes[at] == quote {
                at += 1
                return
            } else if bytes[at] == UInt8(ascii: "\n") {
                return
            }
            at += 1
        }
    }

    /// The statement that has been collected, if it is an import.
    private mutating func end() {
        defer { statement.removeAll(keepingCapacity: true) }
        guard statement.count > 6 else { return }
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == 13 }
        let start = statement.firstIndex { !isBlank($0) } ?? statement.endIndex
        let rest = statement[start...]
        guard rest.starts(with: "import ".utf8) || rest.starts(with: "from ".utf8) else { return }
        let text = String(decoding: rest, as: UTF8.self).map { $0 == "\t" || $0 == "\r" ? " " : $0 }
        let words = String(text)
        if words.hasPrefix("import ") {
            for name in Self.names(words.dropFirst(7)) {
                found.append(PythonImport(level: 0, module: Self.parts(name), names: [], isOptional: isNested))
            }
        } else if let range = Self.taking(words.dropFirst(5)) {
            let source = words.dropFirst(5)[..<range.lowerBound].filter { $0 != " " }
            let level = source.prefix { $0 == "." }.count
            found.append(
                PythonImport(
                    level: level, module: Self.parts(String(source.dropFirst(level))),
                    names: Self.names(words[range.upperBound...]), isOptional: isNested))
        }
    }

    /// Where `import` stands behind the module's name.
    private static func taking(_ text: Substring) -> Range<String.Index>? {
        ["import ", "import("].compactMap { text.firstRange(of: " " + $0) ?? text.firstRange(of: "." + $0) }
            .min { $0.lowerBound < $1.lowerBound }
            .map { text.index(after: $0.lowerBound)..<text.index(before: $0.upperBound) }
    }

    private static func parts(_ name: String) -> [String] { name.split(separator: ".").map(String.init) }

    /// `a, b as c` without parentheses and other names.
    private static func names(_ text: Substring) -> [String] {
        text.filter { $0 != "(" && $0 != ")" }.split(separator: ",").compactMap { part in
            part.split(separator: " ").first.map(String.init)
        }
    }
}
