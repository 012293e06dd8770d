extension Value {
    /// Python's `str()`: what a template prints.
    package var pythonText: String {
        if case .string(let text) = self { text.string } else { pythonRepr }
    }

    /// Python's `repr()`.
    package var pythonRepr: String {
        var out = ""
        writeRepr(to: &out)
        return out
    }

    private func writeRepr(to out: inout String) {
        switch self {
        case .null: out += "None"
        case .bool(let bool): out += bool ? "True" : "False"
        case .int(let int): out += String(int)
        case .big(let big): out += big.description
        case .double(let double): out += Self.repr(of: double)
        case .string(let text): out += text.pythonRepr
        case .list(let list):
            out += "["
            for (index, item) in list.enumerated() {
                if index > 0 { out += ", " }
                item.writeRepr(to: &out)
            }
            out += "]"
        case .dict(let dict):
            out += "{"
            for (index, (key, value)) in dict.enumerated() {
                if index > 0 { out += ", " }
                key.writeRepr(to: &out)
                out += ": "
                value.writeRepr(to: &out)
            }
            out += "}"
        }
    }

    /// The shortest decimal that reads back as the same number, written as Python writes it.
    package static func repr(of double: Double) -> String {
        if double.isNaN { return "nan" }
        if double.isInfinite { return double < 0 ? "-inf" : "inf" }
        let magnitude = abs(double)
        if magnitude >= 1e16 || (magnitude < 1e-4 && magnitude > 0) { return exponential(double) }
        let plain = "\(double)"
        return plain.contains("e") ? expanded(plain) : plain
    }

    private static func exponential(_ double: Double) -> String {
        var (digits, exponent, negative) = parts(of: "\(double)")
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        let rest = digits.dropFirst()
        let sign = exponent < 0 ? "-" : "+"
        let power = String(abs(exponent))
        let mantissa = String(digits.prefix(1)) + (rest.isEmpty ? "" : "." + rest)
        negative = double < 0
        return (negative ? "-" : "") + mantissa + "e" + sign + (power.count < 2 ? "0" + power : power)
    }

    private static func expanded(_ text: String) -> String {
        let (digits, exponent, negative) = parts(of: text)
        let point = exponent + 1
        var body = digits
        if point <= 0 { return (negative ? "-" : "") + "0." + String(repeating: "0", count: -point) + body }
        while body.count < point { body += "0" }
        let whole = body.prefix(point)
        let fraction = body.dropFirst(point)
        return (negative ? "-" : "") + whole + "." + (fraction.isEmpty ? "0" : String(fraction))
    }

    /// The significant digits without a point, the decimal exponent of the first, and the sign.
    private static func parts(of text: String) -> (digits: String, exponent: Int, negative: Bool) {
        let negative = text.hasPrefix("-")
        let halves = text.drop { $0 == "-" }.split(separator: "e")
        let mantissa = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        let given = halves.count > 1 ? Int(halves[1]) ?? 0 : 0
        let whole = mantissa[0]
        var digits = String(whole) + (mantissa.count > 1 ? String(mantissa[1]) : "")
        var exponent = given + whole.count - 1
        while digits.count > 1, digits.hasPrefix("0") {
            digits.removeFirst()
            exponent -= 1
        }
        return (digits, exponent, negative)
    }

    static func repr(ofText string: String) -> String {
        let quote: Unicode.Scalar = string.contains("'") && !string.contains("\"") ? "\"" : "'"
        var out = String(Character(quote))
        for scalar in string.unicodeScalars {
            switch scalar {
            case quote, "\\":
                out += "\\"
                out.unicodeScalars.append(scalar)
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if isPrintable(scalar) { out.unicodeScalars.append(scalar) } else { out += escape(scalar) }
            }
        }
        return out + String(Character(quote))
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7f { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let hex = String(scalar.value, radix: 16)
        func padded(_ width: Int) -> String { String(repeating: "0", count: max(0, width - hex.count)) + hex }
        return scalar.value < 0x100 ? "\\x" + padded(2) : scalar.value < 0x10000 ? "\\u" + padded(4) : "\\U" + padded(8)
    }
}
