import OrderedCollections

/// How JSON is written: as Python's `json.dumps` with the same settings.
package struct JSONStyle: Sendable {
    /// Spaces per level; `nil` writes one line.
    package var indent: Int?
    package var sortKeys: Bool
    /// Escape everything outside ASCII, Python's default.
    package var asciiOnly: Bool
    /// No blanks behind `,` and `:`.
    package var compact: Bool

    package init(indent: Int? = nil, sortKeys: Bool = false, asciiOnly: Bool = true, compact: Bool = false) {
        self.indent = indent
        self.sortKeys = sortKeys
        self.asciiOnly = asciiOnly
        self.compact = compact
    }
}

extension Value {
    /// JSON text. Keys that are not strings are written as Python writes them (`true`, `null`, numbers).
    package func json(_ style: JSONStyle = JSONStyle()) -> String {
        var out = ""
        writeJSON(to: &out, style, depth: 0)
        return out
    }

    private func writeJSON(to out: inout String, _ style: JSONStyle, depth: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let bool): out += bool ? "true" : "false"
        case .int(let int): out += String(int)
        case .big(let big): out += big.description
        case .double(let double):
            let infinity = double < 0 ? "-Infinity" : "Infinity"
            out += double.isNaN ? "NaN" : double.isInfinite ? infinity : Value.repr(of: double)
        case .string(let text): Self.writeJSON(text.isoformat, to: &out, style)
        case .list(let list):
            Self.writeItems(list.count, "[", "]", to: &out, style, depth) { index, out in
                list[index].writeJSON(to: &out, style, depth: depth + 1)
            }
        case .dict(let dict):
            var pairs = dict.elements.map { (key: $0.key.jsonKey, value: $0.value) }
            if style.sortKeys { pairs.sort { Self.precedes($0.key, $1.key) } }
            Self.writeItems(pairs.count, "{", "}", to: &out, style, depth) { index, out in
                Self.writeJSON(pairs[index].key, to: &out, style)
                out += style.compact ? ":" : ": "
                pairs[index].value.writeJSON(to: &out, style, depth: depth + 1)
            }
        }
    }

    /// Python's order of strings: by code point.
    package static func precedes(_ left: String, _ right: String) -> Bool {
        left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars)
    }

    private var jsonKey: String {
        if case .string(let text) = self { return text.string }
        return json()
    }

    private static func writeItems(
        _ count: Int, _ open: String, _ close: String, to out: inout String, _ style: JSONStyle, _ depth: Int,
        _ item: (Int, inout String) -> Void
    ) {
        out += open
        func newline(_ depth: Int, _ out: inout String) {
            guard let indent = style.indent else { return }
            out += "\n" + String(repeating: " ", count: indent * depth)
        }
        for index in 0..<count {
            if index > 0 { out += style.indent != nil || style.compact ? "," : ", " }
            newline(depth + 1, &out)
            item(index, &out)
        }
        if count > 0 { newline(depth, &out) }
        out += close
    }

    private static func writeJSON(_ string: String, to out: inout String, _ style: JSONStyle) {
        out += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{8}": out += "\\b"
            case "\u{c}": out += "\\f"
            default:
                if scalar.value < 0x20 || (style.asciiOnly && scalar.value > 0x7e) {
                    for unit in String(Character(scalar)).utf16 {
                        let hex = String(unit, radix: 16)
                        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                    }
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        out += "\""
    }
}

/// Text that is not JSON, in Python's words: they are what playbooks look for.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    /// Where reading stopped; line and column from 1, characters from 0.
    package let line: Int
    package let column: Int
    package let character: Int
    package var description: String { "\(message): line \(line) column \(column) (char \(character))" }
}

/// Half of a pair of UTF-16 that stands alone (`\udc80`): no string has it.
package struct LoneSurrogate: Sendable, Hashable {
    package let unit: UInt32
    /// The character's number in its string, from 0.
    package let position: Int
}

extension Value {
    /// Reads one JSON document. Nesting is limited to 512 levels, since the reader recurses.
    package init(json text: String) throws(JSONError) {
        var reader = JSONReader(text)
        self = try reader.document()
    }

    /// The same; where surrogates stand alone, tells of the first and has `replacement` for each.
    package static func read(
        json text: String, replacement: Unicode.Scalar
    ) throws(JSONError) -> (value: Value, lone: LoneSurrogate?) {
        var reader = JSONReader(text)
        reader.replacement = replacement
        return (try reader.document(), reader.lone)
    }
}

private struct JSONReader {
    private let bytes: [UInt8]
    private var at = 0
    private static let depthLimit = 512
    /// What stands for surrogates without their other half.
    var replacement: Unicode.Scalar = "\u{fffd}"
    private(set) var lone: LoneSurrogate?

    init(_ text: String) { bytes = Array(text.utf8) }

    private func failure(_ message: String, at offset: Int? = nil) -> JSONError {
        let before = String(decoding: bytes[..<min(offset ?? at, bytes.count)], as: UTF8.self).unicodeScalars
        let start = before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
        return JSONError(
            message: message, line: before.count { $0 == "\n" } + 1,
            column: before.distance(from: start, to: before.endIndex) + 1, character: before.count)
    }
    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
    }

    mutating func document() throws(JSONError) -> Value {
        let value = try value(depth: 0)
        skipBlanks()
        if peek != nil { throw failure("Extra data") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> Value {
        if depth > Self.depthLimit { throw failure("More than \(Self.depthLimit) levels") }
        skipBlanks()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "N"): return try word("NaN", .double(.nan))
        case UInt8(ascii: "I"): return try word("Infinity", .double(.infinity))
        case nil: throw failure("Expecting value")
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: Value) throws(JSONError) -> Value {
        guard bytes[at...].starts(with: word.utf8) else { throw failure("Expecting value") }
        at += word.utf8.count
        return value
    }

    private mutating func number() throws(JSONError) -> Value {
        let start = at
        if peek == UInt8(ascii: "-") { at += 1 }
        if bytes[at...].starts(with: "Infinity".utf8), at > start { return try word("Infinity", .double(-.infinity)) }
        func digits(_ at: Int) -> Int {
            at + bytes[at...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
        }
        let whole = peek == UInt8(ascii: "0") ? at + 1 : digits(at)
        guard whole > at else { throw failure("Expecting value", at: start) }
        at = whole
        if peek == UInt8(ascii: "."), digits(at + 1) > at + 1 { at = digits(at + 1) }
        if let byte = peek, byte | 0x20 == UInt8(ascii: "e") {
            let isSigned = at + 1 < bytes.count && (bytes[at + 1] == 0x2b || bytes[at + 1] == 0x2d)
            let first = at + (isSigned ? 2 : 1)
            if first < bytes.count, digits(first) > first { at = digits(first) }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if at == whole, let int = Value.integer(digits: text) { return int }
        guard let double = Double(text) else { throw failure("Expecting value", at: start) }
        return .double(double)
    }

    private mutating func array(_ depth: Int) throws(JSONError) -> Value {
        at += 1
        var items: [Value] = []
        skipBlanks()
        if peek == UInt8(ascii: "]") {
            at += 1
            return .list(items)
        }
        while true {
            items.append(try value(depth: depth + 1))
            if try !separator(UInt8(ascii: "]")) { return .list(items) }
        }
    }

    private mutating func object(_ depth: Int) throws(JSONError) -> Value {
        at += 1
        var dict = Dict()
        skipBlanks()
        if peek == UInt8(ascii: "}") {
            at += 1
            return .dict(dict)
        }
        while true {
            skipBlanks()
            guard peek == UInt8(ascii: "\"") else { throw failure("Expecting property name enclosed in double quotes") }
            let key = try string()
            skipBlanks()
            guard peek == UInt8(ascii: ":") else { throw failure("Expecting ':' delimiter") }
            at += 1
            dict[key] = try value(depth: depth + 1)
            if try !separator(UInt8(ascii: "}")) { return .dict(dict) }
        }
    }

    /// Passes a comma (`true`) or the closing bracket (`false`).
    private mutating func separator(_ close: UInt8) throws(JSONError) -> Bool {
        skipBlanks()
        guard let byte = peek, byte == close || byte == UInt8(ascii: ",") else {
            throw failure("Expecting ',' delimiter")
        }
        at += 1
        return byte != close
    }

    private mutating func string() throws(JSONError) -> String {
        let start = at
        at += 1
        var out: [UInt8] = []
        while let byte = peek {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: out, as: UTF8.self)
            case UInt8(ascii: "\\"): out += String(Character(try escape(start, out))).utf8
            case 0..<0x20: throw failure("Invalid control character at", at: at - 1)
            default: out.append(byte)
            }
        }
        throw failure("Unterminated string starting at", at: start)
    }

    /// - Parameter before: what the string has so far.
    private mutating func escape(_ start: Int, _ before: [UInt8]) throws(JSONError) -> Unicode.Scalar {
        guard let byte = peek else { throw failure("Unterminated string starting at", at: start) }
        at += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "\""): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return try unicodeEscape(before)
        default: throw failure("Invalid \\escape", at: at - 2)
        }
    }

    private mutating func unicodeEscape(_ before: [UInt8]) throws(JSONError) -> Unicode.Scalar {
        let high = try hexUnit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard high < 0xdc00, bytes[at...].starts(with: "\\u".utf8) else { return noted(high, before) }
        let mark = at
        at += 2
        let low = try hexUnit()
        guard (0xdc00...0xdfff).contains(low) else {
            at = mark
            return noted(high, before)
        }
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)) ?? replacement
    }

    private mutating func noted(_ unit: UInt32, _ before: [UInt8]) -> Unicode.Scalar {
        let position = String(decoding: before, as: UTF8.self).unicodeScalars.count
        lone = lone ?? LoneSurrogate(unit: unit, position: position)
        return replacement
    }

    private mutating func hexUnit() throws(JSONError) -> UInt32 {
        guard at + 4 <= bytes.count,
            let unit = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw failure("Invalid \\uXXXX escape", at: at - 1) }
        at += 4
        return unit
    }
}
