import Values

/// What a bare word of TOML stands for.
enum TOMLScalar {
    static func value(_ text: String) -> Value? {
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "inf", "+inf": return .double(.infinity)
        case "-inf": return .double(-.infinity)
        case "nan", "+nan", "-nan": return .double(.nan)
        default: return integer(text) ?? double(text) ?? moment(text)
        }
    }

    /// Digits, with single underscores between them.
    private static func digits(_ text: Substring, radix: Int = 10) -> String? {
        guard let first = text.first, let last = text.last, first != "_", last != "_" else { return nil }
        let plain = text.filter { $0 != "_" }
        var previous: Character = "0"
        for character in text {
            if character == "_", previous == "_" { return nil }
            previous = character
        }
        return plain.allSatisfy { $0.isASCII && $0.hexDigitValue.map { $0 < radix } ?? false } ? plain : nil
    }

    private static func integer(_ text: String) -> Value? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            return digits(text.dropFirst(2), radix: radix).flatMap { Int($0, radix: radix) }.map(Value.int)
        }
        let sign = text.hasPrefix("-") || text.hasPrefix("+")
        guard let plain = digits(sign ? text.dropFirst() : text[...]), plain.count == 1 || !plain.hasPrefix("0") else {
            return nil
        }
        let signed = (text.hasPrefix("-") ? "-" : "") + plain
        return Int(signed).map(Value.int) ?? .string(Text(signed))
    }

    private static func double(_ text: String) -> Value? {
        var rest = text[...]
        if rest.hasPrefix("-") || rest.hasPrefix("+") { rest = rest.dropFirst() }
        let parts = rest.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        guard let mantissa = parts.first, parts.count <= 2 else { return nil }
        let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count <= 2, parts.count == 2 || halves.count == 2, halves.allSatisfy({ digits($0) != nil }),
            let whole = halves.first, whole.count == 1 || !whole.hasPrefix("0")
        else { return nil }
        if parts.count == 2 {
            let exponent = parts[1]
            let signed = exponent.hasPrefix("-") || exponent.hasPrefix("+")
            guard digits(signed ? exponent.dropFirst() : exponent) != nil else { return nil }
        }
        return Double(text.filter { $0 != "_" }).map(Value.double)
    }

    /// A date, a time or both.
    private static func moment(_ text: String) -> Value? {
        let characters = Array(text.utf8)
        func isNumber(_ range: Range<Int>) -> Bool {
            range.upperBound <= characters.count && characters[range].allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        }
        let isDate = isNumber(0..<4) && characters.count >= 10 && characters[4] == 0x2d && isNumber(5..<7)
            && characters[7] == 0x2d && isNumber(8..<10)
        if isDate, characters.count == 10 { return .string(Text(text, .date)) }
        let start = isDate ? 11 : 0
        guard !isDate || [0x20, 0x54, 0x74].contains(characters[10]) else { return nil }
        guard isNumber(start..<start + 2), characters.count >= start + 8, characters[start + 2] == 0x3a,
            isNumber(start + 3..<start + 5), characters[start + 5] == 0x3a, isNumber(start + 6..<start + 8)
        else { return nil }
        var end = start + 8
        var fraction = ""
        if end < characters.count, characters[end] == 0x2e {
            let from = end + 1
            end = from
            while end < characters.count, isNumber(end..<end + 1) { end += 1 }
            guard end > from else { return nil }
            let digits = String(decoding: characters[from..<min(end, from + 6)], as: UTF8.self)
            fraction = "." + digits + String(repeating: "0", count: 6 - digits.count)
            if fraction == ".000000" { fraction = "" }
        }
        var zone = String(decoding: characters[end...], as: UTF8.self)
        if zone == "Z" || zone == "z" { zone = "+00:00" }
        let isZone = zone.isEmpty || (zone.utf8.count == 6 && (zone.hasPrefix("+") || zone.hasPrefix("-")))
        guard isZone, isDate || zone.isEmpty else { return nil }
        let time = String(decoding: characters[start..<start + 8], as: UTF8.self) + fraction + zone
        guard isDate else { return .string(Text(time, .time)) }
        return .string(Text(String(decoding: characters[0..<10], as: UTF8.self) + " " + time, .dateTime))
    }
}
