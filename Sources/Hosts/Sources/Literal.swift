import Values

/// A Python literal, as inventories in INI form write values: numbers, strings, `True`, `None`, lists, tuples,
/// dictionaries, sets. `nil` for anything else, which then is a plain string.
func pythonLiteral(_ text: ArraySlice<UInt8>) -> Value? {
    guard let first = text.first(where: { $0 != 0x20 && $0 != 0x09 }) else { return nil }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "("),
        UInt8(ascii: "T"), UInt8(ascii: "F"), UInt8(ascii: "N"), UInt8(ascii: "r"), UInt8(ascii: "R"),
        UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "u"), UInt8(ascii: "U"), UInt8(ascii: "s"):
        var reader = LiteralReader(bytes: Array(text))
        return reader.whole()
    default: return nil
    }
}

private struct LiteralReader {
    let bytes: [UInt8]
    var at = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skip() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || (depth > 0 && (byte == 0x0a || byte == 0x0d)) { at += 1 }
        if peek == UInt8(ascii: "#") { at = bytes.count }
    }

    private mutating func pass(_ character: Unicode.Scalar) -> Bool {
        skip()
        guard peek == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func word(_ word: String) -> Bool {
        guard bytes[at...].starts(with: word.utf8) else { return false }
        let end = at + word.utf8.count
        if end < bytes.count, Self.isWord(bytes[end]) { return false }
        at = end
        return true
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || (byte >= 0x30 && byte <= 0x39)
            || byte >= 0x80
    }

    /// The whole text: a value, or several with commas, which are a tuple.
    mutating func whole() -> Value? {
        guard let first = value() else { return nil }
        var items = [first]
        var isTuple = false
        while pass(",") {
            isTuple = true
            skip()
            if at == bytes.count { break }
            guard let next = value() else { return nil }
            items.append(next)
        }
        skip()
        guard at == bytes.count else { return nil }
        return isTuple ? .list(items) : first
    }

    private mutating func value() -> Value? {
        skip()
        guard let byte = peek, depth < 64 else { return nil }
        depth += 1
        defer { depth -= 1 }
        switch byte {
        case UInt8(ascii: "["):
            at += 1
            return items(until: "]").map { .list($0.items) }
        case UInt8(ascii: "("):
            at += 1
            guard let (items, comma) = items(until: ")") else { return nil }
            return items.count == 1 && !comma ? items[0] : .list(items)
        case UInt8(ascii: "{"):
            at += 1
            return braces()
        case UInt8(ascii: "-"), UInt8(ascii: "+"): return signed()
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."):
            if bytes[at...].starts(with: "...".utf8) {
                at += 3
                return .string("...")
            }
            return number()
        default: break
        }
        if word("True") { return .bool(true) }
        if word("False") { return .bool(false) }
        if word("None") { return .null }
        if word("set") { return pass("(") && pass(")") ? .list([]) : nil }
        return strings().map { .string($0) }
    }

    private mutating func signed() -> Value? {
        let negative = peek == UInt8(ascii: "-")
        at += 1
        skip()
        guard let byte = peek, byte == UInt8(ascii: ".") || (byte >= 0x30 && byte <= 0x39) else { return nil }
        switch number() {
        case .int(let int)?: return .int(negative ? -int : int)
        case .double(let double)?: return .double(negative ? -double : double)
        case .big(let big)?: return .integer(negative ? -big : big)
        default: return nil
        }
    }

    private mutating func number() -> Value? {
        let start = at
        while let byte = peek {
            let exponentSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let hex = at > start + 1 && bytes[start] == 0x30 && bytes[start + 1] | 0x20 == UInt8(ascii: "x")
            if exponentSign {
                guard at > start, bytes[at - 1] | 0x20 == UInt8(ascii: "e"), !hex else { break }
            } else if !Self.isWord(byte), byte != UInt8(ascii: ".") {
                break
            }
            at += 1
        }
        var text = String(decoding: bytes[start..<at], as: UTF8.self).lowercased()
        // A complex number is no value of the language: it is the text that Python prints of it.
        if text.hasSuffix("j") {
            text.removeLast()
            guard !text.hasSuffix("_"), let part = Double(text) else { return nil }
            let whole = part.magnitude < 1e16 ? Int(exactly: part) : nil
            return .string((whole.map { String($0) } ?? Value.repr(of: part)) + "j")
        }
        if text.hasPrefix("_") || text.hasSuffix("_") || text.contains("__") { return nil }
        let plain = text.replacing("_", with: "")
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
            return Value.integer(digits: String(plain.dropFirst(2)), radix: radix)
        }
        if plain.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            // Python refuses 0644; it then is the string.
            if plain.hasPrefix("0"), plain.contains(where: { $0 != "0" }) { return nil }
            return Value.integer(digits: plain)
        }
        guard plain.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ".e+-".utf8.contains($0) }), plain != "." else {
            return nil
        }
        var decimal = plain.replacing(".e", with: ".0e")
        if decimal.hasSuffix(".") { decimal += "0" }
        if decimal.hasPrefix(".") { decimal = "0" + decimal }
        return Double(decimal).map(Value.double)
    }

    private mutating func items(until close: Unicode.Scalar) -> (items: [Value], comma: Bool)? {
        var items: [Value] = []
        var comma = false
        while true {
            if pass(close) { return (items, comma) }
            if !items.isEmpty, !comma { return nil }
            guard let item = value() else { return nil }
            items.append(item)
            comma = pass(",")
        }
    }

    private mutating func braces() -> Value? {
        if pass("}") { return .dict(Dict()) }
        guard let first = value() else { return nil }
        guard pass(":") else {
            // A set: its members in the order written, each once.
            if pass("}") { return .list([first]) }
            guard pass(","), let rest = items(until: "}") else { return nil }
            var seen: Set<Value> = []
            return .list(([first] + rest.items).filter { seen.insert($0).inserted })
        }
        var dict = Dict()
        var key = first
        while true {
            guard key.list == nil, key.dict == nil, let item = value() else { return nil }
            dict[key] = item
            let comma = pass(",")
            if pass("}") { return .dict(dict) }
            guard comma, let next = value(), pass(":") else { return nil }
            key = next
        }
    }

    /// One string, or several side by side, which Python joins.
    private mutating func strings() -> String? {
        guard let first = string() else { return nil }
        var text = first.text
        while true {
            skip()
            guard let byte = peek, "'\"rRbBuU".utf8.contains(byte) else { return text }
            // Python joins no bytes to text.
            guard let next = string(), next.isBytes == first.isBytes else { return nil }
            text += next.text
        }
    }

    private mutating func string() -> (text: String, isBytes: Bool)? {
        var raw = false
        var isBytes = false
        while let byte = peek, "rRbBuU".utf8.contains(byte) {
            if byte | 0x20 == UInt8(ascii: "r") { raw = true }
            if byte | 0x20 == UInt8(ascii: "b") { isBytes = true }
            at += 1
        }
        guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        let triple = bytes[at...].starts(with: [quote, quote, quote])
        at += triple ? 3 : 1
        var out: [UInt8] = []
        while let byte = peek {
            if byte == quote, !triple || bytes[at...].starts(with: [quote, quote, quote]) {
                at += triple ? 3 : 1
                return (String(decoding: out, as: UTF8.self), isBytes)
            }
            at += 1
            guard byte == UInt8(ascii: "\\"), let next = peek else {
                out.append(byte)
                continue
            }
            if raw {
                out += [byte, next]
                at += 1
            } else {
                guard escape(next, &out) else { return nil }
            }
        }
        return nil
    }

    private mutating func escape(_ byte: UInt8, _ out: inout [UInt8]) -> Bool {
        at += 1
        switch byte {
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "a"): out.append(0x07)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "v"): out.append(0x0b)
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): out.append(byte)
        case UInt8(ascii: "x"): return code(2, 16, &out)
        case UInt8(ascii: "u"): return code(4, 16, &out)
        case UInt8(ascii: "U"): return code(8, 16, &out)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            at -= 1
            var count = 0
            while count < 3, at + count < bytes.count, (0x30...0x37).contains(bytes[at + count]) { count += 1 }
            return code(count, 8, &out)
        default: out += [UInt8(ascii: "\\"), byte]
        }
        return true
    }

    private mutating func code(_ count: Int, _ radix: Int, _ out: inout [UInt8]) -> Bool {
        guard at + count <= bytes.count,
            let number = UInt32(String(decoding: bytes[at..<at + count], as: UTF8.self), radix: radix),
            let scalar = Unicode.Scalar(number)
        else { return false }
        at += count
        out += String(Character(scalar)).utf8
        return true
    }
}
