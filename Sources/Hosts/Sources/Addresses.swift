import Values

/// Splits `name:80` and `[name]:80`; the address may hold ranges (`web[01:20]`).
///
/// - Returns: `nil` where the text is no IP address and no host name, as `a:b` or `~x`.
func parsedAddress(_ text: String, ranges: Bool) -> (host: String, port: Int?)? {
    var host = Substring(text)
    var port: Int?
    if let colon = text.lastIndex(of: ":"), let number = Int(text[text.index(after: colon)...]), number >= 0,
        text[text.index(after: colon)...].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
    {
        let before = text[..<colon]
        if before.hasPrefix("["), before.hasSuffix("]"), before.count > 2 {
            host = before.dropFirst().dropLast()
            port = number
        } else if !hasColonOutsideBrackets(before) {
            host = before
            port = number
        }
    }
    guard isHostName(host) || isIPv6(host), ranges || !host.utf8.contains(UInt8(ascii: "[")) else { return nil }
    return (String(host), port)
}

private func hasColonOutsideBrackets(_ text: Substring) -> Bool {
    var inside = false
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "["):
            if inside { continue }
            inside = true
        case UInt8(ascii: "]"):
            // A bracket without its partner: not what may stand before a port.
            if !inside { return true }
            inside = false
        case UInt8(ascii: ":") where !inside: return true
        default: break
        }
    }
    return inside
}

/// Labels of letters, digits, `_`, `-` and ranges, joined by dots; none begins or ends with `-` or `_`… except that
/// `_` may begin one.
private func isHostName(_ text: Substring) -> Bool {
    var rest = text
    var previous: Character = "."
    while let character = rest.first {
        switch character {
        case "[":
            guard let end = rest.firstIndex(of: "]"), isRange(rest[rest.index(after: rest.startIndex)..<end]) else {
                return false
            }
            rest = rest[end...]
            previous = "]"
        case ".":
            if previous == "." || previous == "-" || previous == "_" { return false }
            previous = "."
        case "-":
            if previous == "." { return false }
            previous = "-"
        default:
            guard character == "_" || character.isLetter || character.isNumber else { return false }
            previous = character
        }
        rest = rest.dropFirst()
    }
    return previous != "." && previous != "-" && previous != "_"
}

/// `1:20`, `a:f`, either with a step.
private func isRange(_ text: Substring) -> Bool {
    let bounds = text.split(separator: ":", omittingEmptySubsequences: false)
    guard bounds.count == 2 || bounds.count == 3 else { return false }
    func isNumber(_ text: Substring) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
    func isLetter(_ text: Substring) -> Bool { text.count == 1 && text.first?.isLetter == true }
    if bounds.count == 3, !isNumber(bounds[2]) { return false }
    return (isNumber(bounds[0]) && isNumber(bounds[1])) || (isLetter(bounds[0]) && isLetter(bounds[1]))
}

/// Groups of hexadecimal digits (or ranges of them) between colons, at most one gap `::`.
private func isIPv6(_ text: Substring) -> Bool {
    var plain = ""
    var rest = text
    while let character = rest.first {
        if character == "[" {
            guard let end = rest.firstIndex(of: "]") else { return false }
            let bounds = rest[rest.index(after: rest.startIndex)..<end].split(separator: ":")
            guard bounds.count >= 2, bounds.allSatisfy({ Int($0, radix: 16) != nil }) else { return false }
            plain += "0"
            rest = rest[rest.index(after: end)...]
        } else {
            plain.append(character)
            rest = rest.dropFirst()
        }
    }
    let halves = plain.split(separator: "::", omittingEmptySubsequences: false)
    guard plain.contains(":"), halves.count <= 2 else { return false }
    let groups = halves.flatMap { $0.split(separator: ":", omittingEmptySubsequences: false) }.filter { !$0.isEmpty }
    let last = groups.last ?? ""
    let dotted = last.contains(".")
    let count = groups.count + (dotted ? 1 : 0)
    guard halves.count == 2 ? count <= 7 : count == 8 else { return false }
    return groups.dropLast(dotted ? 1 : 0).allSatisfy { $0.count <= 4 && Int($0, radix: 16) != nil }
        && (!dotted || last.split(separator: ".").count == 4)
}

/// Why a range of host names cannot be expanded.
struct RangeError: Error {
    let message: String
    /// It has the form of a range, of what is no number and no letter.
    var isOddSpan = false
}

/// `db[1:3]-[a:c]` to its nine names; more than a million are refused.
func expandedRanges(_ pattern: String, limit: Int = 1_000_000) throws(RangeError) -> [String] {
    guard let open = pattern.firstIndex(of: "[") else { return [pattern] }
    guard let close = pattern[open...].firstIndex(of: "]") else {
        throw RangeError(message: "a '[' without its ']' in '\(pattern)'")
    }
    let head = pattern[..<open]
    let tails = try expandedRanges(String(pattern[pattern.index(after: close)...]), limit: limit)
    let items = try rangeItems(pattern[pattern.index(after: open)..<close])
    guard items.count * tails.count <= limit else {
        throw RangeError(message: "the range '\(pattern)' stands for more than \(limit) hosts")
    }
    return items.flatMap { item in tails.map { head + item + $0 } }
}

private func rangeItems(_ text: Substring) throws(RangeError) -> [String] {
    let bounds = text.split(separator: ":", omittingEmptySubsequences: false)
    guard bounds.count == 2 || bounds.count == 3 else {
        throw RangeError(message: "a host range is [begin:end] or [begin:end:step], not '[\(text)]'")
    }
    let first = bounds[0].isEmpty ? "0" : bounds[0]
    let last = bounds[1]
    guard !last.isEmpty else { throw RangeError(message: "host range must specify end value") }
    guard let step = bounds.count == 3 ? Int(bounds[2]) : 1, step > 0 else {
        throw RangeError(message: "the step of '[\(text)]' is not a positive number")
    }
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if first.count == 1, last.count == 1, let from = letters.firstIndex(of: first[first.startIndex]),
        let to = letters.firstIndex(of: last[last.startIndex])
    {
        guard from <= to else { throw RangeError(message: "the range '[\(text)]' ends before it begins") }
        return stride(from: from, through: to, by: step).map { String(letters[$0]) }
    }
    guard let from = Int(first), let to = Int(last), to - from < 1_000_000 else {
        throw RangeError(message: "'[\(text)]' is not a range of numbers or letters", isOddSpan: true)
    }
    let width = first.hasPrefix("0") && first.count > 1 ? first.count : 0
    if width > 0, last.count != width {
        throw RangeError(message: "begin and end of '[\(text)]' need the same number of digits")
    }
    return stride(from: from, through: to, by: step).map { number in
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
