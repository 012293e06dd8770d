import Glibc
import Values

extension Filters {
    static func double(_ datum: Datum, _ name: String) throws(TemplateError) -> Double {
        switch datum {
        case .double(let double): return double
        case .big(let big): return big.double
        default:
            if let int = datum.int { return Double(int) }
            throw TemplateError("\(name)() can only be used on numbers, not on '\(datum.typeName)'")
        }
    }

    /// The result of a function that Python's `math` refuses where there is none.
    private static func finite(_ result: Double, _ name: String, _ operand: Double) throws(TemplateError) -> Datum {
        if result.isNaN, !operand.isNaN {
            throw TemplateError("\(name)() can only be used on numbers: math domain error")
        }
        if result.isInfinite, operand.isFinite { throw TemplateError("math range error") }
        return .double(result)
    }

    static func addNumbers(_ table: inout FilterTable) {
        table.add("int", parameters: ["default", "base"]) { (c) throws(TemplateError) in
            try integer(c.value, base: try c.int(1) ?? 10) ?? c[0] ?? .int(0)
        }
        table.add("float", parameters: ["default"]) { (c) throws(TemplateError) in
            switch c.value {
            case .double: return c.value
            case .big(let big): return .double(big.double)
            case .string(let text): if let double = parsed(text.string) { return .double(double) }
            default: if let int = c.value.int { return .double(Double(int)) }
            }
            return c[0] ?? .double(0)
        }
        table.add("abs") { (c) throws(TemplateError) in
            switch c.value {
            case .double(let double): return .double(abs(double))
            case .big(let big): return .big(big.isNegative ? -big : big)
            default:
                guard let int = c.value.int else {
                    throw TemplateError("bad operand type for abs(): '\(c.value.typeName)'")
                }
                return .integer(BigInt(int).isNegative ? -BigInt(int) : BigInt(int))
            }
        }
        table.add("round", parameters: ["precision", "method"]) { (c) throws(TemplateError) in
            try rounded(c.value, try c.int(0) ?? 0, try c.text(1) ?? "common")
        }
        table.add("log", parameters: ["base"]) { (c) throws(TemplateError) in
            let number = try double(c.value, "log")
            if number <= 0 { throw TemplateError("math domain error") }
            guard let base = c[0] else { return .double(log(number)) }
            let wanted = try double(base, "log")
            if wanted <= 0 { throw TemplateError("math domain error") }
            if wanted == 1 { throw TemplateError("float division by zero") }
            return .double(wanted == 10 ? log10(number) : log(number) / log(wanted))
        }
        table.add("pow", parameters: ["y"], required: 1) { (c) throws(TemplateError) in
            let number = try double(c.value, "pow")
            return try finite(pow(number, try double(c[0] ?? .null, "pow")), "pow", number)
        }
        table.add("root", parameters: ["base"]) { (c) throws(TemplateError) in
            let number = try double(c.value, "root")
            let base = try c[0].map { (datum) throws(TemplateError) in try double(datum, "root") } ?? 2
            if base == 0 { throw TemplateError("float division by zero") }
            return try finite(base == 2 ? sqrt(number) : pow(number, 1 / base), "root", number)
        }
        table.add("filesizeformat", parameters: ["binary"]) { (c) throws(TemplateError) in
            let bytes: Double
            if case .string(let text) = c.value {
                guard let found = parsed(text.string) else { throw TemplateError("could not convert string to float") }
                bytes = found
            } else {
                bytes = try double(c.value, "filesizeformat")
            }
            return .string(fileSize(bytes, binary: try c.flag(0)))
        }
        table.add("human_readable", parameters: ["isbits", "unit"]) { (c) throws(TemplateError) in
            guard let size = try? double(c.value, "human_readable") else {
                throw TemplateError("human_readable() failed on bad input: '\(c.value.typeName)'")
            }
            if let unit = c[1], !unit.isNull, unit.text == nil {
                throw TemplateError(
                    "human_readable() can't interpret the input: '\(unit.typeName)' object has no attribute 'upper'")
            }
            return .string(Sizes.text(size, isBits: try c.flag(0), unit: try c.text(1)))
        }
        table.add("human_to_bytes", parameters: ["default_unit", "isbits"]) { (c) throws(TemplateError) in
            .integer(try Sizes.bytes(try c.string(), unit: try c.text(0), isBits: try c.flag(1)))
        }
    }

    /// A text as Python's `float()` reads it.
    static func parsed(_ text: String) -> Double? {
        let stripped = StringMethods.strip(text)
        switch stripped.lowercased() {
        case "nan", "+nan", "-nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: break
        }
        guard let first = stripped.first, first.isNumber || "+-.".contains(first), !stripped.lowercased().contains("x")
        else { return nil }
        return Double(stripped.filter { $0 != "_" })
    }

    /// Python's `int()`, with Jinja2's second try over `float()`.
    static func integer(_ datum: Datum, base: Int) throws(TemplateError) -> Datum? {
        switch datum {
        case .int, .big: return datum
        case .bool(let bool): return .int(bool ? 1 : 0)
        case .double(let double):
            if double.isInfinite { throw TemplateError("cannot convert float infinity to integer") }
            return BigInt(double).map { .integer($0) }
        case .string(let text):
            if let whole = wholeNumber(StringMethods.strip(text.string), base) { return .integer(whole) }
            return parsed(text.string).flatMap { BigInt($0) }.map { .integer($0) }
        default: return nil
        }
    }

    private static func wholeNumber(_ text: String, _ base: Int) -> BigInt? {
        var digits = text[...]
        var sign = ""
        if let first = digits.first, first == "-" || first == "+" {
            sign = first == "-" ? "-" : ""
            digits = digits.dropFirst()
        }
        let prefixes = [16: "0x", 8: "0o", 2: "0b"]
        var radix = base
        if base == 0 {
            radix = prefixes.first { digits.lowercased().hasPrefix($0.value) }?.key ?? 10
        }
        if let prefix = prefixes[radix], digits.lowercased().hasPrefix(prefix) { digits = digits.dropFirst(2) }
        if digits.first == "_" || digits.last == "_" || digits.contains("__") { return nil }
        guard (2...36).contains(radix) else { return nil }
        let plain = digits.filter { $0 != "_" }
        if radix > 16 { return Int(sign + plain, radix: radix).map { BigInt($0) } }
        return BigInt(digits: sign + plain, radix: radix)
    }

    private static func rounded(_ datum: Datum, _ precision: Int, _ method: String) throws(TemplateError) -> Datum {
        guard ["common", "ceil", "floor"].contains(method) else {
            throw TemplateError("method must be common, ceil or floor")
        }
        if method == "common" {
            var whole = datum.int.map { BigInt($0) }
            if case .big(let big) = datum { whole = big }
            if let whole {
                guard precision < 0 else { return .integer(whole) }
                let unit = BigInt(10).power(min(-precision, 400))
                let (quotient, rest) = whole.floorDivided(by: unit)
                let twice = rest + rest
                let up = twice > unit || (twice == unit && quotient.isOdd)
                return .integer((up ? quotient + BigInt(1) : quotient) * unit)
            }
            let number = try double(datum, "round")
            if precision >= 0 { return .double(Double(NumberText.c(number, "f", precision)) ?? number) }
            let unit = pow(10, Double(-precision))
            return .double((number / unit).rounded(.toNearestOrEven) * unit)
        }
        let unit = pow(10, Double(precision))
        let scaled = try double(datum, "round") * unit
        return .double(scaled.rounded(method == "ceil" ? .up : .down) / unit)
    }

    private static func fileSize(_ bytes: Double, binary: Bool) -> String {
        let base = binary ? 1024.0 : 1000.0
        let prefixes = binary
            ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
            : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
        if bytes == 1 { return "1 Byte" }
        if bytes < base { return "\(Int(bytes)) Bytes" }
        var unit = base
        for (index, prefix) in prefixes.enumerated() {
            unit = pow(base, Double(index + 2))
            if bytes < unit || index == prefixes.count - 1 {
                return NumberText.c(base * bytes / unit, "f", 1) + " " + prefix
            }
        }
        return ""
    }
}

/// Sizes as Ansible writes and reads them: `1.00 KB` is 1024 bytes.
enum Sizes {
    private static let units: [(letter: String, factor: Double)] = [
        ("Y", 0x1p80), ("Z", 0x1p70), ("E", 0x1p60), ("P", 0x1p50), ("T", 0x1p40), ("G", 0x1p30), ("M", 0x1p20),
        ("K", 0x1p10), ("B", 1),
    ]

    static func text(_ size: Double, isBits: Bool, unit: String?) -> String {
        let base = isBits ? "bits" : "Bytes"
        var chosen = units[units.count - 1]
        for candidate in units {
            if let unit {
                // Units are single letters; another one is none of them.
                if unit.uppercased() == candidate.letter {
                    chosen = candidate
                    break
                }
            } else if size >= candidate.factor {
                chosen = candidate
                break
            }
        }
        let suffix = chosen.factor == 1 ? base : chosen.letter + base.prefix(1)
        return NumberText.c(size / chosen.factor, "f", 2) + " " + suffix
    }

    /// The names of the prefixes, as Ansible spells them.
    private static let names = [
        "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "E": "exa", "Z": "zeta", "Y": "yotta",
    ]

    static func bytes(_ text: String, unit: String?, isBits: Bool) throws(TemplateError) -> BigInt {
        var rest = text[...]
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        var digits = String(whole)
        if rest.first == ".", rest.dropFirst().first.map({ $0.isASCII && $0.isNumber }) ?? false {
            let fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            digits = (whole.isEmpty ? "0" : digits) + "." + fraction
            rest = rest.dropFirst(fraction.count + 1)
        }
        let named = StringMethods.strip(String(rest))
        let isWord = named.utf8.allSatisfy { (0x41...0x5a).contains($0 & 0xdf) }
        guard let number = Double(digits), isWord else {
            throw TemplateError(
                "'\(text)' is no size", hint: "a size is a number and a unit, as in '10 MB'",
                words: "human_to_bytes() can't interpret following string: \(text)")
        }
        guard let word = named.isEmpty ? unit : named else { return rounded(number) }
        guard let first = word.first, let found = units.first(where: { $0.letter == first.uppercased() }) else {
            throw TemplateError("'\(word)' is no unit of size", hint: "known: Y, Z, E, P, T, G, M, K, B")
        }
        let prefix = names[found.letter] ?? ""
        let short = (found.factor == 1 ? "" : found.letter) + (isBits ? "b" : "B")
        let fits = word.count == 1 || word == short || word.lowercased() == prefix + (isBits ? "bit" : "byte")
        if !fits { throw TemplateError("'\(word)' is no unit of size in \(isBits ? "bits" : "bytes")") }
        return rounded(number * found.factor)
    }

    private static func rounded(_ number: Double) -> BigInt { BigInt(number.rounded(.toNearestOrEven)) ?? BigInt(0) }
}
