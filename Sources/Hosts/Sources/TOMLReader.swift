import Values
import YAML

/// Reads TOML 1.0. Strings know their place; dates and times are what Python prints for them, with a mark.
struct TOMLReader {
    private let bytes: [UInt8]
    private let file: SourceFile
    private var at = 0
    private var line = 1
    private var lineStart = 0
    private var depth = 0
    private var root = Table()
    private static let depthLimit = 64

    /// A table while it is being read.
    private final class Table {
        enum Origin { case implied, header, dotted, inline }
        var members: [(key: String, value: Item)] = []
        var positions: [String: Int] = [:]
        var origin = Origin.implied

        subscript(_ key: String) -> Item? { positions[key].map { members[$0].value } }

        func add(_ key: String, _ value: Item) {
            positions[key] = members.count
            members.append((key, value))
        }
    }

    private enum Item {
        case value(Value)
        case table(Table)
        /// `[[name]]`.
        case tables(TableList)
    }

    private final class TableList { var all: [Table] = [] }

    static func dict(_ text: String, file: SourceFile) throws(Diagnostic) -> Dict {
        var reader = TOMLReader(bytes: Array(text.utf8), file: file)
        return try reader.document()
    }

    private init(bytes: [UInt8], file: SourceFile) {
        self.bytes = bytes
        self.file = file
    }

    // MARK: Bytes

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func place(_ offset: Int? = nil) -> Place {
        let end = min(offset ?? at, bytes.count)
        let column = bytes[min(lineStart, end)..<end].count { $0 & 0xc0 != 0x80 }
        return Place(file: file, line: line, column: column + 1)
    }

    private func error(_ message: String, at offset: Int? = nil, hint: String? = nil) -> Diagnostic {
        Diagnostic(message, at: place(offset), hint: hint)
    }

    private mutating func pass(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func skipBlanks() { while let byte = peek, byte == 0x20 || byte == 0x09 { at += 1 } }

    private mutating func newLine() {
        at += 1
        line += 1
        lineStart = at
    }

    private mutating func skipComment() {
        guard peek == UInt8(ascii: "#") else { return }
        while let byte = peek, byte != 0x0a { at += 1 }
    }

    /// Blanks, comments and ends of lines.
    private mutating func skipLines() {
        while let byte = peek {
            switch byte {
            case 0x20, 0x09, 0x0d: at += 1
            case 0x0a: newLine()
            case UInt8(ascii: "#"): skipComment()
            default: return
            }
        }
    }

    private mutating func endOfLine(after what: String) throws(Diagnostic) {
        skipBlanks()
        skipComment()
        if peek == 0x0d { at += 1 }
        guard let byte = peek else { return }
        guard byte == 0x0a else { throw error("more behind \(what)", hint: "one \(what) a line") }
        newLine()
    }

    // MARK: Structure

    private mutating func document() throws(Diagnostic) -> Dict {
        var table = root
        while true {
            skipLines()
            guard let byte = peek else { break }
            if byte == UInt8(ascii: "[") { table = try header() } else { try pair(into: table) }
        }
        return Self.dict(root)
    }

    private static func dict(_ table: Table) -> Dict {
        var dict = Dict(minimumCapacity: table.members.count)
        for (key, item) in table.members { dict[key] = value(item) }
        return dict
    }

    private static func value(_ item: Item) -> Value {
        switch item {
        case .value(let value): value
        case .table(let table): .dict(dict(table))
        case .tables(let list): .list(list.all.map { .dict(dict($0)) })
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    private mutating func header() throws(Diagnostic) -> Table {
        let start = at
        at += 1
        let isList = pass("[")
        let path = try keys()
        guard pass("]"), !isList || pass("]") else { throw error("a table's name without its ']'", at: start) }
        var table = root
        for key in path.dropLast() { table = try descend(table, key, at: start, dotted: false) }
        let name = path.last ?? ""
        let result = Table()
        result.origin = .header
        switch (table[name], isList) {
        case (nil, true):
            let list = TableList()
            list.all.append(result)
            table.add(name, .tables(list))
        case (nil, false): table.add(name, .table(result))
        case (.tables(let list)?, true): list.all.append(result)
        case (.table(let known)?, false) where known.origin == .implied:
            known.origin = .header
            try endOfLine(after: "table")
            return known
        default: throw error("'\(path.joined(separator: "."))' is there already", at: start)
        }
        try endOfLine(after: "table")
        return result
    }

    /// The table below, made where there is none.
    private func descend(_ table: Table, _ key: String, at start: Int, dotted: Bool) throws(Diagnostic) -> Table {
        switch table[key] {
        case nil:
            let below = Table()
            if dotted { below.origin = .dotted }
            table.add(key, .table(below))
            return below
        case .table(let below)? where below.origin != .inline && (!dotted || below.origin != .header): return below
        case .tables(let list)? where !dotted: return list.all.last ?? table
        default: throw error("'\(key)' is no table that can grow", at: start)
        }
    }

    private mutating func pair(into table: Table) throws(Diagnostic) {
        try member(of: table)
        try endOfLine(after: "key")
    }

    /// `a.b = value`.
    private mutating func member(of table: Table) throws(Diagnostic) {
        let start = at
        let path = try keys()
        guard pass("=") else { throw error("a key without '='", hint: "write key = value") }
        skipBlanks()
        var table = table
        for key in path.dropLast() { table = try descend(table, key, at: start, dotted: true) }
        let name = path.last ?? ""
        if table[name] != nil { throw error("'\(path.joined(separator: "."))' is there already", at: start) }
        table.add(name, try item())
    }

    private mutating func keys() throws(Diagnostic) -> [String] {
        var path: [String] = []
        repeat {
            skipBlanks()
            path.append(try key())
            skipBlanks()
        } while pass(".")
        return path
    }

    private mutating func key() throws(Diagnostic) -> String {
        switch peek {
        case UInt8(ascii: "\""): return try basicString()
        case UInt8(ascii: "'"): return try literalString()
        default: break
        }
        let start = at
        while let byte = peek, Self.isBare(byte) { at += 1 }
        guard at > start else {
            throw error("a key is letters, digits, '-' and '_', or a quoted string", hint: "quote it")
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || byte == 0x2d || byte == 0x5f
    }

    // MARK: Values

    private mutating func item() throws(Diagnostic) -> Item {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.depthLimit else { throw error("values are nested more than \(Self.depthLimit) deep") }
        switch peek {
        case UInt8(ascii: "{"): return .table(try inlineTable())
        case UInt8(ascii: "["): return .value(try array())
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let place = place(at + 1)
            let string = try string()
            return .value(.string(Text(string, mark: Mark(place: place, isTemplate: string.hasTemplateSyntax))))
        default: return .value(try word())
        }
    }

    private mutating func array() throws(Diagnostic) -> Value {
        let start = (at, line, lineStart)
        at += 1
        var items: [Value] = []
        while true {
            skipLines()
            if pass("]") { return .list(items) }
            guard peek != nil else {
                (at, line, lineStart) = start
                throw error("a list without its ']'")
            }
            items.append(Self.value(try item()))
            skipLines()
            if pass(",") { continue }
            guard pass("]") else { throw error("',' or ']' was expected here") }
            return .list(items)
        }
    }

    private mutating func inlineTable() throws(Diagnostic) -> Table {
        at += 1
        let table = Table()
        skipBlanks()
        if !pass("}") {
            repeat {
                skipBlanks()
                try member(of: table)
                skipBlanks()
            } while pass(",")
            guard pass("}") else { throw error("',' or '}' was expected here", hint: "an inline table is one line") }
        }
        close(table)
        return table
    }

    /// An inline table, with what its dotted keys made, cannot grow.
    private func close(_ table: Table) {
        table.origin = .inline
        for case (_, .table(let below)) in table.members { close(below) }
    }

    private mutating func word() throws(Diagnostic) -> Value {
        let start = at
        while let byte = peek, Self.isBare(byte) || byte == 0x2b || byte == 0x2e || byte == 0x3a { at += 1 }
        // A date and its time may have a blank between them.
        if at - start == 10, peek == 0x20, at + 1 < bytes.count, (0x30...0x39).contains(bytes[at + 1]),
            bytes[start + 4] == 0x2d
        {
            at += 1
            while let byte = peek, Self.isBare(byte) || byte == 0x2b || byte == 0x2e || byte == 0x3a { at += 1 }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard let value = TOMLScalar.value(text) else {
            throw error(
                text.isEmpty ? "a value was expected here" : "'\(text)' is no value", at: start,
                hint: "strings are quoted; booleans are true and false")
        }
        return value
    }

    // MARK: Strings

    private mutating func string() throws(Diagnostic) -> String {
        let quote = bytes[at]
        let triple = at + 2 < bytes.count && bytes[at + 1] == quote && bytes[at + 2] == quote
        if triple { return try longString(quote) }
        return quote == UInt8(ascii: "'") ? try literalString() : try basicString()
    }

    private mutating func literalString() throws(Diagnostic) -> String {
        let start = at
        at += 1
        while let byte = peek, byte != 0x0a {
            at += 1
            if byte == UInt8(ascii: "'") { return String(decoding: bytes[(start + 1)..<(at - 1)], as: UTF8.self) }
        }
        throw error("a quote without its partner", at: start)
    }

    private mutating func basicString() throws(Diagnostic) -> String {
        let start = at
        at += 1
        var out: [UInt8] = []
        while let byte = peek, byte != 0x0a {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: out, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(&out)
            default: out.append(byte)
            }
        }
        throw error("a quote without its partner", at: start)
    }

    private mutating func longString(_ quote: UInt8) throws(Diagnostic) -> String {
        let opening = place()
        at += 3
        if peek == 0x0d, at + 1 < bytes.count, bytes[at + 1] == 0x0a { at += 1 }
        if peek == 0x0a { newLine() }
        var out: [UInt8] = []
        while let byte = peek {
            if byte == quote, bytes[at...].starts(with: [quote, quote, quote]) {
                at += 3
                // Up to two quotes may stand before the closing three.
                for _ in 0..<2 where peek == quote {
                    out.append(quote)
                    at += 1
                }
                return String(decoding: out, as: UTF8.self)
            }
            if byte == 0x0a { newLine() } else { at += 1 }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                if !skipFoldedLine() { try escape(&out) }
            } else {
                out.append(byte)
            }
        }
        throw Diagnostic("three quotes without their partners", at: opening)
    }

    /// A backslash at the end of a line: what is blank behind it goes.
    private mutating func skipFoldedLine() -> Bool {
        var end = at
        while end < bytes.count, bytes[end] == 0x20 || bytes[end] == 0x09 || bytes[end] == 0x0d { end += 1 }
        guard end < bytes.count, bytes[end] == 0x0a else { return false }
        while let byte = peek, [0x20, 0x09, 0x0d, 0x0a].contains(byte) {
            if byte == 0x0a { newLine() } else { at += 1 }
        }
        return true
    }

    private mutating func escape(_ out: inout [UInt8]) throws(Diagnostic) {
        let start = at - 1
        let plain: [UInt8: UInt8] = [
            0x62: 0x08, 0x74: 0x09, 0x6e: 0x0a, 0x66: 0x0c, 0x72: 0x0d, 0x22: 0x22, 0x5c: 0x5c,
        ]
        guard let byte = peek else { throw error("a backslash at the end", at: start) }
        at += 1
        if let character = plain[byte] { return out.append(character) }
        let count = byte == UInt8(ascii: "u") ? 4 : byte == UInt8(ascii: "U") ? 8 : 0
        guard count > 0, at + count <= bytes.count,
            let number = UInt32(String(decoding: bytes[at..<at + count], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(number)
        else {
            throw error(
                "an escape that does not exist", at: start, hint: "write '\\\\', or the string in single quotes")
        }
        at += count
        out += String(Character(scalar)).utf8
    }
}
