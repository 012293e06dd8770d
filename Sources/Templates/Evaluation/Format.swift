import Glibc
import Values

/// Numbers written with C's and Python's precision letters.
enum NumberText {
    /// `%.*f`, `%.*e` and `%.*g` of C.
    static func c(_ double: Double, _ letter: Character, _ precision: Int, alternate: Bool = false) -> String {
        if double.isNaN { return letter.isUppercase ? "NAN" : "nan" }
        if double.isInfinite {
            let word = double < 0 ? "-inf" : "inf"
            return letter.isUppercase ? word.uppercased() : word
        }
        let format = "%\(alternate ? "#" : "").\(min(max(0, precision), 400))\(letter)"
        var buffer = [CChar](repeating: 0, count: 1024)
        let count = unsafe withVaList([double]) { list in
            unsafe vsnprintf(&buffer, buffer.count, format, list)
        }
        return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Python's `%` on strings.
enum PercentFormat {
    private struct Specification {
        var key: String?
        var flags: Set<Character> = []
        var width = 0
        var precision: Int?
    }

    static func apply(_ format: String, _ operand: Datum, _ evaluator: Evaluator) throws(TemplateError) -> String {
        var reader = Reader(format, operand)
        var out = ""
        while let character = reader.next() {
            if character != "%" {
                out.append(character)
            } else if reader.skip("%") {
                out += "%"
            } else {
                let specification = try reader.specification()
                let index = reader.at
                guard let letter = reader.next() else { throw TemplateError("incomplete format") }
                var value = try specification.key.map { (key) throws(TemplateError) in
                    try member(key, of: operand, evaluator)
                } ?? .null
                if specification.key == nil { value = try reader.take() }
                value = try evaluator.lifted(value)
                if case .undefined(let undefined) = value { throw undefined.error }
                try evaluator.countOutput(specification.width)
                out += try converted(letter, value, specification, index, evaluator)
            }
        }
        if !reader.usedAll { throw TemplateError("not all arguments converted during string formatting") }
        return out
    }

    private static func member(
        _ key: String, of operand: Datum, _ evaluator: Evaluator
    ) throws(TemplateError) -> Datum {
        guard case .dict = operand else { throw TemplateError("format requires a mapping") }
        if let found = try evaluator.member(.string(key), of: operand) { return found }
        throw TemplateError("KeyError: '\(key)'")
    }

    /// Goes through the format, and through the operands.
    private struct Reader {
        private let characters: [Character]
        private(set) var at = 0
        private var operands: [Datum]
        private var taken = 0
        private var isFree = false

        init(_ format: String, _ operand: Datum) {
            characters = Array(format)
            operands = [operand]
            switch operand {
            case .tuple(let items): operands = items
            // A mapping or a list as the only operand need not be used at all.
            case .dict, .list: isFree = true
            default: break
            }
        }

        var usedAll: Bool { taken >= operands.count || (isFree && taken == 0) }

        mutating func next() -> Character? {
            guard at < characters.count else { return nil }
            at += 1
            return characters[at - 1]
        }

        mutating func skip(_ set: String) -> Bool {
            guard at < characters.count, set.contains(characters[at]) else { return false }
            at += 1
            return true
        }

        mutating func take() throws(TemplateError) -> Datum {
            guard taken < operands.count else { throw TemplateError("not enough arguments for format string") }
            taken += 1
            return operands[taken - 1]
        }

        private mutating func number() throws(TemplateError) -> Int? {
            if skip("*") { return try take().int ?? 0 }
            let start = at
            while skip("0123456789") {}
            return Int(String(characters[start..<at]))
        }

        mutating func specification() throws(TemplateError) -> Specification {
            var result = Specification()
            if skip("(") {
                guard let end = characters[at...].firstIndex(of: ")") else {
                    throw TemplateError("incomplete format key")
                }
                result.key = String(characters[at..<end])
                at = end + 1
                taken = operands.count
            }
            while skip("#0- +") { result.flags.insert(characters[at - 1]) }
            result.width = try number() ?? 0
            if result.width < 0 {
                result.flags.insert("-")
                result.width = -result.width
            }
            if skip(".") { result.precision = try number() ?? 0 }
            while skip("hlL") {}
            return result
        }
    }

    private static func converted(
        _ letter: Character, _ value: Datum, _ specification: Specification, _ index: Int, _ evaluator: Evaluator
    ) throws(TemplateError) -> String {
        var body: String
        var sign = ""
        var prefix = ""
        switch letter {
        case "s", "r", "a":
            body = letter == "s" ? try evaluator.text(value) : try evaluator.repr(value)
            if letter == "a" { body = ascii(body) }
            if let precision = specification.precision {
                body = String(String.UnicodeScalarView(body.unicodeScalars.prefix(precision)))
            }
            return padded(body, specification, zero: false)
        case "c":
            if let int = value.int {
                guard let scalar = Unicode.Scalar(UInt32(clamping: int)) else {
                    throw TemplateError("%c arg not in range(0x110000)")
                }
                body = String(Character(scalar))
            } else {
                body = try evaluator.text(value)
                if body.unicodeScalars.count != 1 { throw TemplateError("%c requires int or char") }
            }
            return padded(body, specification, zero: false)
        case "d", "i", "u", "x", "X", "o":
            let whole = try integer(letter, value)
            sign = whole.isNegative ? "-" : ""
            let radix: UInt32 = letter == "o" ? 8 : letter == "x" || letter == "X" ? 16 : 10
            body = (whole.isNegative ? -whole : whole).text(radix: radix)
            if specification.flags.contains("#"), radix != 10 { prefix = radix == 8 ? "0o" : "0x" }
            if letter == "X" {
                body = body.uppercased()
                prefix = prefix.uppercased()
            }
            if let precision = specification.precision {
                body = String(repeating: "0", count: max(0, precision - body.count)) + body
            }
        case "f", "F", "e", "E", "g", "G":
            let double: Double
            switch value {
            case .double(let found): double = found
            case .big(let big): double = big.double
            default:
                guard let int = value.int else { throw TemplateError("must be real number, not \(value.typeName)") }
                double = Double(int)
            }
            body = NumberText.c(
                double, letter, specification.precision ?? 6, alternate: specification.flags.contains("#"))
            if body.hasPrefix("-") {
                sign = "-"
                body.removeFirst()
            }
        default:
            throw TemplateError("unsupported format character '\(letter)' at index \(index)")
        }
        if sign.isEmpty { sign = ["+", " "].first { specification.flags.contains($0) }.map { String($0) } ?? "" }
        if specification.flags.contains("0"), !specification.flags.contains("-") {
            let missing = specification.width - sign.count - prefix.count - body.count
            body = String(repeating: "0", count: max(0, missing)) + body
        }
        return padded(sign + prefix + body, specification, zero: false)
    }

    /// Python's `ascii()`: what is not ASCII by its number.
    static func ascii(_ repr: String) -> String {
        repr.unicodeScalars.map { scalar in
            if scalar.isASCII { return String(Character(scalar)) }
            let digits = String(scalar.value, radix: 16)
            let width = scalar.value < 0x100 ? 2 : scalar.value < 0x10000 ? 4 : 8
            let mark = width == 2 ? "x" : width == 4 ? "u" : "U"
            return "\\" + mark + String(repeating: "0", count: width - digits.count) + digits
        }.joined()
    }

    private static func integer(_ letter: Character, _ value: Datum) throws(TemplateError) -> BigInt {
        switch value {
        case .big(let big): return big
        case .double(let double) where "diu".contains(letter):
            guard let whole = BigInt(double) else { throw TemplateError("cannot convert float to integer") }
            return whole
        default:
            guard let int = value.int else {
                let wanted = "diu".contains(letter) ? "a real number is required" : "an integer is required"
                throw TemplateError("%\(letter) format: \(wanted), not \(value.typeName)")
            }
            return BigInt(int)
        }
    }

    private static func padded(_ text: String, _ specification: Specification, zero: Bool) -> String {
        let fill = String(repeating: " ", count: max(0, specification.width - text.unicodeScalars.count))
        return specification.flags.contains("-") ? text + fill : fill + text
    }
}

/// Python's `str.format` and format specifications.
enum BraceFormat {
    static func apply(_ format: String, _ call: Call) throws(TemplateError) -> String {
        var automatic = 0
        return try apply(format, call, &automatic, depth: 0)
    }

    private static func apply(
        _ format: String, _ call: Call, _ automatic: inout Int, depth: Int
    ) throws(TemplateError) -> String {
        if depth > 2 { throw TemplateError("Max string recursion exceeded") }
        let characters = Array(format)
        var out = ""
        var at = 0
        while at < characters.count {
            let character = characters[at]
            if character == "{" || character == "}", at + 1 < characters.count, characters[at + 1] == character {
                out.append(character)
                at += 2
                continue
            }
            guard character == "{" else {
                if character == "}" { throw TemplateError("single '}' encountered in format string") }
                out.append(character)
                at += 1
                continue
            }
            var level = 1
            var end = at + 1
            while end < characters.count {
                if characters[end] == "{" { level += 1 }
                if characters[end] == "}" { level -= 1 }
                if level == 0 { break }
                end += 1
            }
            guard end < characters.count else { throw TemplateError("single '{' encountered in format string") }
            out += try field(String(characters[(at + 1)..<end]), call, &automatic, depth)
            at = end + 1
        }
        return out
    }

    private static func field(
        _ text: String, _ call: Call, _ automatic: inout Int, _ depth: Int
    ) throws(TemplateError) -> String {
        var name = text
        var specification = ""
        if let colon = text.firstIndex(of: ":") {
            name = String(text[..<colon])
            specification = try apply(String(text[text.index(after: colon)...]), call, &automatic, depth: depth + 1)
        }
        var conversion: Character?
        if let bang = name.firstIndex(of: "!") {
            let given = name[name.index(after: bang)...]
            guard given.count == 1, let letter = given.first, "rsa".contains(letter) else {
                throw TemplateError("Unknown conversion specifier \(given)")
            }
            conversion = letter
            name = String(name[..<bang])
        }
        let evaluator = call.evaluator
        var rest = name[...]
        let first = String(rest.prefix { $0 != "." && $0 != "[" })
        rest = rest.dropFirst(first.count)
        var value: Datum
        if first.isEmpty || Int(first) != nil {
            // Numbers that are written and those that are counted do not mix.
            let isCounted = first.isEmpty
            guard automatic == 0 || isCounted == (automatic > 0) else {
                throw TemplateError(
                    isCounted ? "cannot switch from manual field specification to automatic field numbering"
                        : "cannot switch from automatic field numbering to manual field specification")
            }
            let index = Int(first) ?? automatic
            automatic = isCounted ? automatic + 1 : -1
            guard call.positional.indices.contains(index) else {
                throw TemplateError("replacement index \(index) out of range for positional args tuple")
            }
            value = call.positional[index]
        } else {
            guard let found = call.named.first(where: { $0.name == first }) else {
                throw TemplateError("format string names '\(first)', which is not given")
            }
            value = found.value
        }
        while let mark = rest.first {
            rest = rest.dropFirst()
            if mark == "." {
                let attribute = String(rest.prefix { $0 != "." && $0 != "[" })
                rest = rest.dropFirst(attribute.count)
                if case .dict = value, !DictMethods.names.contains(attribute) {
                    throw TemplateError("'dict' object has no attribute '\(attribute)'")
                }
                value = try evaluator.attribute(attribute, of: value, nil, Span(0, 1))
            } else {
                let key = String(rest.prefix { $0 != "]" })
                rest = rest.dropFirst(key.count + 1)
                value = try evaluator.item(Int(key).map { .int($0) } ?? .string(key), of: value, Span(0, 1))
            }
        }
        value = try evaluator.lifted(value)
        if case .undefined(let undefined) = value { throw undefined.error }
        if conversion == "r" { value = .string(try evaluator.repr(value)) }
        if conversion == "a" { value = .string(Text(PercentFormat.ascii(try evaluator.repr(value)))) }
        if conversion == "s" { value = .string(try evaluator.text(value)) }
        return try format(value, specification, evaluator)
    }

    /// `[[fill]align][sign][#][0][width][,][.precision][type]`
    static func format(
        _ value: Datum, _ specification: String, _ evaluator: Evaluator
    ) throws(TemplateError) -> String {
        if let date = value.runtimeObject as? DateTime, !specification.isEmpty { return date.formatted(specification) }
        if specification.isEmpty { return try evaluator.text(value) }
        switch value {
        case .null, .list, .tuple, .dict:
            throw TemplateError("unsupported format string passed to \(value.typeName).__format__")
        case .bool(let bool): return try format(.int(bool ? 1 : 0), specification, evaluator)
        default: break
        }
        var rest = Array(specification)[...]
        func take(_ set: String) -> Character? {
            guard let first = rest.first, set.contains(first) else { return nil }
            rest = rest.dropFirst()
            return first
        }
        func digits() -> Int? {
            let run = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(run.count)
            return Int(String(run))
        }
        var fill: Character = " "
        var align: Character?
        if rest.count > 1, "<>=^".contains(rest[rest.startIndex + 1]) {
            fill = rest[rest.startIndex]
            align = rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        } else {
            align = take("<>=^")
        }
        let isInside = align == "="
        let sign = take("+- ")
        let wantsNoNegativeZero = take("z") != nil
        let alternate = take("#") != nil
        if take("0") != nil, align == nil {
            fill = "0"
            align = value.text == nil ? "=" : "<"
        }
        let width: Int? = rest.first.map { $0.isASCII && $0.isNumber } ?? false ? digits() : 0
        guard let width else { throw TemplateError("Too many decimal digits in format string") }
        try evaluator.countOutput(width)
        let grouping = take(",_")
        var precision: Int?
        if take(".") != nil {
            precision = digits()
            guard let precision else { throw TemplateError("Format specifier missing precision") }
            try evaluator.countOutput(precision)
        }
        let letter = rest.popFirst()
        if !rest.isEmpty { throw TemplateError("invalid format specifier '\(specification)'") }

        var isNumber = true
        var body: String
        switch value {
        case .string, .null, .list, .tuple, .dict, .object, .undefined, .raw:
            isNumber = false
            if let letter, letter != "s" {
                throw TemplateError("unknown format code '\(letter)' for object of type '\(value.typeName)'")
            }
            if isInside { throw TemplateError("'=' alignment not allowed in string format specifier") }
            if wantsNoNegativeZero {
                throw TemplateError("Negative zero coercion (z) not allowed in string format specifier")
            }
            if sign != nil { throw TemplateError("Sign not allowed in string format specifier") }
            if alternate { throw TemplateError("Alternate form (#) not allowed in string format specifier") }
            if let grouping { throw TemplateError("Cannot specify '\(grouping)' with 's'.") }
            body = try evaluator.text(value)
            if let precision { body = String(String.UnicodeScalarView(body.unicodeScalars.prefix(precision))) }
        default:
            body = try number(value, letter, precision, grouping, alternate)
            if wantsNoNegativeZero {
                if letter.map({ !"eEfFgG%".contains($0) }) ?? (value.int != nil) {
                    throw TemplateError("Negative zero coercion (z) not allowed in format specifier with integer")
                }
                if body.hasPrefix("-"), !body.contains(where: { ("1"..."9").contains($0) }) { body.removeFirst() }
            }
        }
        if isNumber {
            if !body.hasPrefix("-"), let sign, sign != "-" { body = String(sign) + body }
        }
        let missing = width - body.unicodeScalars.count
        guard missing > 0 else { return body }
        switch align ?? (isNumber ? ">" : "<") {
        case "<": return body + String(repeating: fill, count: missing)
        case "^":
            return String(repeating: fill, count: missing / 2) + body
                + String(repeating: fill, count: missing - missing / 2)
        case "=":
            let signs = body.prefix { "+- ".contains($0) }
            return signs + String(repeating: fill, count: missing) + body.dropFirst(signs.count)
        default: return String(repeating: fill, count: missing) + body
        }
    }

    private static func number(
        _ value: Datum, _ letter: Character?, _ precision: Int?, _ grouping: Character?, _ alternate: Bool
    ) throws(TemplateError) -> String {
        var whole: BigInt?
        var double = 0.0
        switch value {
        case .big(let big): whole = big
        case .double(let found): double = found
        default: whole = BigInt(value.int ?? 0)
        }
        if let found = whole {
            double = found.double
            let radix: UInt32? =
                switch letter {
                case nil, "d", "n": 10
                case "x", "X": 16
                case "o": 8
                case "b": 2
                default: nil
                }
            if let radix, precision == nil {
                var body = (found.isNegative ? -found : found).text(radix: radix)
                if letter == "X" { body = body.uppercased() }
                if let grouping { body = grouped(body, grouping, radix == 10 ? 3 : 4) }
                if alternate, radix != 10 { body = "0\(letter ?? "x")" + body }
                return (found.isNegative ? "-" : "") + body
            }
            if letter == "c" {
                guard let scalar = found.int.flatMap({ UInt32(exactly: $0) }).flatMap(Unicode.Scalar.init) else {
                    throw TemplateError("%c arg not in range(0x110000)")
                }
                return String(Character(scalar))
            }
            if radix != nil { throw TemplateError("precision not allowed in integer format specifier") }
        }
        var text: String
        switch letter {
        case "f", "F", "e", "E", "g", "G": text = NumberText.c(double, letter ?? "f", precision ?? 6)
        case "%": text = NumberText.c(double * 100, "f", precision ?? 6) + "%"
        case nil:
            text = precision.map { NumberText.c(double, "g", $0) } ?? Value.repr(of: double)
            if precision != nil, !text.contains("."), !text.contains("e") { text += ".0" }
        case "n": text = NumberText.c(double, "g", precision ?? 6)
        default: throw TemplateError("unknown format code '\(letter ?? " ")' for object of type '\(value.typeName)'")
        }
        guard let grouping else { return text }
        let negative = text.hasPrefix("-")
        let body = text.drop { $0 == "-" }
        let digits = body.prefix { $0.isNumber }
        return (negative ? "-" : "") + grouped(String(digits), grouping, 3) + body.dropFirst(digits.count)
    }

    private static func grouped(_ digits: String, _ separator: Character, _ size: Int) -> String {
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % size == 0 { out.append(separator) }
            out.append(digit)
        }
        return out
    }
}

extension Datum {
    var runtimeObject: (any RuntimeObject)? { if case .object(let object) = self { object } else { nil } }
}
