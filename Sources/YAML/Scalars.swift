import Values

/// What a plain scalar means in YAML 1.1, as PyYAML resolves it.
///
/// A timestamp is the string that Python prints for it, with a mark that says so.
func resolvedScalar(_ text: String) -> Value {
    let utf8 = text.utf8
    guard let first = utf8.first else { return .null }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
        return number(Array(utf8)) ?? .string(Text(text))
    case UInt8(ascii: "~"): return utf8.count == 1 ? .null : .string(Text(text))
    default:
        guard utf8.count <= 5, let word = resolvedWord(text) else { return .string(Text(text)) }
        return word
    }
}

private func resolvedWord(_ text: String) -> Value? {
    switch text {
    case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": .bool(true)
    case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": .bool(false)
    case "null", "Null", "NULL": .null
    default: nil
    }
}

/// A scalar with one of YAML's own tags; `nil` where the text does not fit the tag.
func scalar(_ text: String, taggedAs kind: String) -> Value? {
    switch kind {
    case "str", "python/unicode": return .string(Text(text))
    case "null": return .null
    case "bool": return resolvedWord(text.lowercased()).flatMap { $0.isNull ? nil : $0 }
    case "int":
        let value = number(Array(text.utf8))
        return value?.int == nil ? nil : value
    case "float":
        let value = number(Array(text.utf8))
        if case .double? = value { return value }
        return value?.number.map(Value.double) ?? Double(text).map(Value.double)
    case "timestamp":
        guard case .string? = number(Array(text.utf8)) else { return nil }
        return number(Array(text.utf8))
    case "binary": return decodedBase64(text).map { .string(Text(String(decoding: $0, as: UTF8.self))) }
    default: return nil
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

private func number(_ bytes: [UInt8]) -> Value? {
    float(bytes) ?? integer(bytes) ?? timestamp(bytes)
}

/// Digits and underscores from `start` while they belong to the base; the index behind them.
private func digits(_ bytes: [UInt8], from start: Int, _ belongs: (UInt8) -> Bool) -> Int {
    var at = start
    while at < bytes.count, belongs(bytes[at]) || bytes[at] == UInt8(ascii: "_") { at += 1 }
    return at
}

private func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
}

private func signed(_ bytes: [UInt8]) -> (negative: Bool, start: Int) {
    switch bytes.first {
    case UInt8(ascii: "-"): (true, 1)
    case UInt8(ascii: "+"): (false, 1)
    default: (false, 0)
    }
}

/// The end of `(:[0-5]?[0-9])+` behind `start`; `nil` when there is none.
private func sexagesimal(_ bytes: [UInt8], from start: Int) -> Int? {
    var at = start
    while at < bytes.count, bytes[at] == UInt8(ascii: ":") {
        var end = at + 1
        while end < bytes.count, isDigit(bytes[end]) { end += 1 }
        let count = end - at - 1
        guard count == 1 || (count == 2 && bytes[at + 1] <= UInt8(ascii: "5")) else { return nil }
        at = end
    }
    return at > start ? at : nil
}

private func float(_ bytes: [UInt8]) -> Value? {
    let (negative, start) = signed(bytes)
    guard start < bytes.count else { return nil }
    let sign: Double = negative ? -1 : 1
    if bytes[start] == UInt8(ascii: ".") {
        switch String(decoding: bytes[start...], as: UTF8.self) {
        case ".inf", ".Inf", ".INF": return .double(sign * .infinity)
        case ".nan", ".NaN", ".NAN": return start == 0 ? .double(.nan) : nil
        default: break
        }
        guard start == 0, bytes.count > 1, isDigit(bytes[1]) else { return nil }
        return decimal(bytes, mantissaEnd: digits(bytes, from: 1, isDigit))
    }
    guard isDigit(bytes[start]) else { return nil }
    var at = digits(bytes, from: start, isDigit)
    let whole = at
    if let end = sexagesimal(bytes, from: at) { at = end }
    guard at < bytes.count, bytes[at] == UInt8(ascii: ".") else { return nil }
    let end = digits(bytes, from: at + 1, isDigit)
    if at == whole { return decimal(bytes, mantissaEnd: end) }
    guard end == bytes.count else { return nil }
    let parts = text(bytes[start...]).split(separator: ":").map { Double($0) ?? 0 }
    return .double(sign * parts.reduce(0) { $0 * 60 + $1 })
}

/// The number when behind the mantissa there is nothing or an exponent with its sign.
private func decimal(_ bytes: [UInt8], mantissaEnd end: Int) -> Value? {
    if end < bytes.count {
        guard bytes[end] | 0x20 == UInt8(ascii: "e"), end + 2 < bytes.count,
            bytes[end + 1] == UInt8(ascii: "+") || bytes[end + 1] == UInt8(ascii: "-"),
            bytes[(end + 2)...].allSatisfy(isDigit)
        else { return nil }
    }
    var plain = text(bytes)
    if end == bytes.count, plain.hasSuffix(".") { plain += "0" }
    plain = plain.replacing(".e", with: ".0e").replacing(".E", with: ".0e")
    return Double(plain).map(Value.double)
}

private func integer(_ bytes: [UInt8]) -> Value? {
    let (negative, start) = signed(bytes)
    guard start < bytes.count, isDigit(bytes[start]) else { return nil }
    func value(_ from: Int, _ radix: Int, _ belongs: (UInt8) -> Bool) -> Value? {
        guard from < bytes.count, digits(bytes, from: from, belongs) == bytes.count else { return nil }
        let plain = text(bytes[from...])
        return Value.integer(digits: (negative ? "-" : "") + plain, radix: radix)
    }
    if bytes[start] == UInt8(ascii: "0") {
        guard start + 1 < bytes.count else { return .int(0) }
        switch bytes[start + 1] {
        case UInt8(ascii: "b"): return value(start + 2, 2) { $0 == 0x30 || $0 == 0x31 }
        case UInt8(ascii: "x"):
            return value(start + 2, 16) { isDigit($0) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66) }
        default: return value(start, 8) { $0 >= 0x30 && $0 <= 0x37 }
        }
    }
    let end = digits(bytes, from: start, isDigit)
    if end == bytes.count { return value(start, 10, isDigit) }
    guard sexagesimal(bytes, from: end) == bytes.count else { return nil }
    var total = 0
    for part in text(bytes[start...]).split(separator: ":") {
        let (product, tooLarge) = total.multipliedReportingOverflow(by: 60)
        guard !tooLarge, let digits = Int(part) else { return nil }
        total = product &+ digits
    }
    return .int(negative ? -total : total)
}

/// `2024-01-31` and `2024-01-31 10:00:00.5 +2`, as Python prints the date it reads from it.
private func timestamp(_ bytes: [UInt8]) -> Value? {
    var at = 0
    func count(_ allowed: ClosedRange<Int>) -> String? {
        let start = at
        while at < bytes.count, isDigit(bytes[at]), at - start < allowed.upperBound { at += 1 }
        return allowed.contains(at - start) ? String(decoding: bytes[start..<at], as: UTF8.self) : nil
    }
    func pass(_ set: String) -> Bool {
        guard at < bytes.count, set.utf8.contains(bytes[at]) else { return false }
        at += 1
        return true
    }
    func padded(_ digits: String) -> String { digits.count < 2 ? "0" + digits : digits }
    guard let year = count(4...4), pass("-"), let month = count(1...2), pass("-"), let day = count(1...2) else {
        return nil
    }
    if at == bytes.count {
        return month.count == 2 && day.count == 2 ? .string(Text("\(year)-\(month)-\(day)", .date)) : nil
    }
    if !pass("Tt") {
        guard pass(" \t") else { return nil }
        while pass(" \t") {}
    }
    guard let hour = count(1...2), pass(":"), let minute = count(2...2), pass(":"), let second = count(2...2) else {
        return nil
    }
    var out = "\(year)-\(padded(month))-\(padded(day)) \(padded(hour)):\(minute):\(second)"
    if pass("."), let digits = count(0...Int.max) {
        let micros = (digits + "000000").prefix(6)
        if micros != "000000" { out += "." + micros }
    }
    if at == bytes.count { return .string(Text(out, .dateTime)) }
    while pass(" \t") {}
    if pass("Z") { return at == bytes.count ? .string(Text(out + "+00:00", .dateTime)) : nil }
    let negative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
    guard pass("+-"), let hours = count(1...2) else { return nil }
    var minutes = "00"
    if pass(":") {
        guard let given = count(2...2) else { return nil }
        minutes = given
    }
    guard at == bytes.count else { return nil }
    let zero = (Int(hours) ?? 0) == 0 && minutes == "00"
    return .string(Text(out + (negative && !zero ? "-" : "+") + padded(hours) + ":" + minutes, .dateTime))
}

private func decodedBase64(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    var bits = 0
    var held: UInt32 = 0
    for byte in text.utf8 {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte + 4
        case UInt8(ascii: "+"): digit = 62
        case UInt8(ascii: "/"): digit = 63
        case UInt8(ascii: "="), 0x20, 0x0a, 0x0d, 0x09: continue
        default: return nil
        }
        held = held << 6 | UInt32(digit)
        bits += 6
        if bits >= 8 {
            bits -= 8
            out.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
        }
    }
    return out
}
