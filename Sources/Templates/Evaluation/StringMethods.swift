import Values

/// The methods of Python's `str` that templates call.
enum StringMethods {
    static let names: Set<String> = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format", "format_map",
        "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
        "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix",
        "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines",
        "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ]

    static func call(_ name: String, _ text: Text, _ call: Call) throws(TemplateError) -> Datum {
        let string = text.string
        switch name {
        case "upper", "lower", "capitalize", "title", "swapcase", "casefold":
            _ = try call.bound([])
            return .string(cased(name, string))
        case "strip", "lstrip", "rstrip":
            let set = try call.bound(["chars"])[0]
            if let set, !set.isNull, set.text == nil { throw TemplateError("\(name) arg must be None or str") }
            return .string(strip(string, set?.text, left: name != "rstrip", right: name != "lstrip"))
        case "split", "rsplit":
            let bound = try call.bound(["sep", "maxsplit"])
            return .strings(try split(string, bound[0]?.text, bound[1]?.int ?? -1, fromRight: name == "rsplit"))
        case "splitlines":
            let keepEnds = try call.evaluator.isTrue(try call.bound(["keepends"])[0] ?? .null)
            return .strings(lines(string, keepEnds: keepEnds))
        case "startswith", "endswith": return .bool(try hasAffix(name, string, call))
        case "find", "index", "rfind", "rindex", "count": return try search(name, string, call)
        case "replace": return .string(try replace(string, call))
        case "join": return .string(try join(string, call))
        case "format": return .string(try BraceFormat.apply(string, call))
        case "format_map":
            guard case .dict(let box) = try call.bound(["mapping"], required: 1)[0] ?? .null else {
                throw TemplateError("format_map() takes a mapping")
            }
            var named = Call(evaluator: call.evaluator, name: name)
            for (key, value) in box.items { named.named.append((key.pythonText, value)) }
            return .string(try BraceFormat.apply(string, named))
        case "center", "ljust", "rjust", "zfill": return .string(try padded(name, string, call))
        case "partition", "rpartition":
            let separator = try required(call, "sep")
            return .tuple(try partition(string, separator, last: name == "rpartition").map { .string($0) })
        case "removeprefix":
            let prefix = try required(call, "prefix")
            return .string(string.hasPrefix(prefix) ? String(string.dropFirst(prefix.count)) : string)
        case "removesuffix":
            let suffix = try required(call, "suffix")
            return .string(string.hasSuffix(suffix) && !suffix.isEmpty ? String(string.dropLast(suffix.count)) : string)
        case "expandtabs": return .string(expandTabs(string, try call.bound(["tabsize"])[0]?.int ?? 8))
        case "encode": return .string(text)
        case "translate":
            let table = try call.bound(["table"], required: 1)[0] ?? .null
            return .string(try translated(string, table, call))
        default:
            if let answer = isKind(name, string) { return .bool(answer) }
            throw TemplateError("string method '\(name)' cannot be used in a template")
        }
    }

    /// Characters by their numbers: another number, a text, or nothing.
    private static func translated(_ text: String, _ table: Datum, _ call: Call) throws(TemplateError) -> String {
        guard case .dict(let box) = table else {
            throw TemplateError("'translate' takes a mapping, got '\(table.typeName)'")
        }
        var out = ""
        for scalar in text.unicodeScalars {
            guard let found = box.items[.int(Int(scalar.value))] else {
                out.unicodeScalars.append(scalar)
                continue
            }
            switch try call.evaluator.lifted(found) {
            case .null: break
            case .string(let piece): out += piece.string
            case .int(let number):
                guard let other = UInt32(exactly: number).flatMap(Unicode.Scalar.init) else {
                    throw TemplateError("character mapping must be in range(0x110000)")
                }
                out.unicodeScalars.append(other)
            case let other:
                throw TemplateError("character mapping must return text, an integer or None, not \(other.typeName)")
            }
        }
        return out
    }

    private static func required(_ call: Call, _ name: String) throws(TemplateError) -> String {
        let datum = try call.bound([name], required: 1)[0] ?? .null
        guard let text = datum.text else {
            throw TemplateError("'\(call.name)' takes a string, got '\(datum.typeName)'")
        }
        return text
    }

    static func cased(_ name: String, _ string: String) -> String {
        switch name {
        case "upper": return string.uppercased()
        case "lower": return string.lowercased()
        case "casefold": return string.unicodeScalars.map(folded).joined()
        case "capitalize":
            guard let first = string.unicodeScalars.first else { return "" }
            let rest = String(String.UnicodeScalarView(string.unicodeScalars.dropFirst()))
            return first.properties.titlecaseMapping + rest.lowercased()
        case "title":
            var out = ""
            var inWord = false
            for scalar in string.unicodeScalars {
                let letter = scalar.properties.isCased
                out += letter ? (inWord ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping)
                    : String(Character(scalar))
                inWord = letter
            }
            return out
        default:
            return string.unicodeScalars.map {
                $0.properties.isUppercase ? $0.properties.lowercaseMapping : $0.properties.uppercaseMapping
            }.joined()
        }
    }

    /// A letter without its case. Unicode folds Cherokee to capitals, and keeps the dotless i.
    private static func folded(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x13a0...0x13ff, 0xab70...0xabbf: return scalar.properties.uppercaseMapping
        case 0x131: return "\u{131}"
        case 0x1e9e: return "ss"
        default:
            return scalar.properties.uppercaseMapping.unicodeScalars.map { $0.properties.lowercaseMapping }.joined()
        }
    }

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1c...0x1f).contains(scalar.value)
    }

    static func strip(_ string: String, _ set: String? = nil, left: Bool = true, right: Bool = true) -> String {
        let scalars = Array(string.unicodeScalars)
        let wanted = set.map { Set($0.unicodeScalars) }
        func drops(_ scalar: Unicode.Scalar) -> Bool { wanted?.contains(scalar) ?? isSpace(scalar) }
        var start = 0
        var end = scalars.count
        if left { while start < end, drops(scalars[start]) { start += 1 } }
        if right { while end > start, drops(scalars[end - 1]) { end -= 1 } }
        return String(String.UnicodeScalarView(scalars[start..<end]))
    }

    /// The scalar offsets where `part` starts, without overlap; at least one comparison per offset.
    static func occurrences(_ part: String, in string: String) -> [Int] {
        let hay = Array(string.unicodeScalars)
        let needle = Array(part.unicodeScalars)
        if needle.isEmpty { return Array(0...hay.count) }
        var found: [Int] = []
        var at = 0
        while at + needle.count <= hay.count {
            if hay[at] == needle[0], hay[at..<(at + needle.count)].elementsEqual(needle) {
                found.append(at)
                at += needle.count
            } else {
                at += 1
            }
        }
        return found
    }

    static func find(_ part: String, in string: String) -> Int? {
        let hay = Array(string.utf8)
        let needle = Array(part.utf8)
        guard let first = needle.first else { return 0 }
        guard hay.count >= needle.count else { return nil }
        for at in 0...(hay.count - needle.count) where hay[at] == first {
            if hay[at..<(at + needle.count)].elementsEqual(needle) {
                return String(decoding: hay[..<at], as: UTF8.self).unicodeScalars.count
            }
        }
        return nil
    }

    static func split(
        _ string: String, _ separator: String?, _ limit: Int = -1, fromRight: Bool = false
    ) throws(TemplateError) -> [String] {
        let scalars = Array(string.unicodeScalars)
        func text(_ range: Range<Int>) -> String { String(String.UnicodeScalarView(scalars[range])) }
        guard let separator else { return splitWords(scalars, limit, fromRight) }
        if separator.isEmpty { throw TemplateError("empty separator") }
        let width = separator.unicodeScalars.count
        var cuts = occurrences(separator, in: string)
        if fromRight, limit >= 0, cuts.count > limit {
            cuts = Array(cuts.suffix(limit))
        } else if limit >= 0 {
            cuts = Array(cuts.prefix(limit))
        }
        var parts: [String] = []
        var start = 0
        for cut in cuts {
            parts.append(text(start..<cut))
            start = cut + width
        }
        return parts + [text(start..<scalars.count)]
    }

    private static func splitWords(_ scalars: [Unicode.Scalar], _ limit: Int, _ fromRight: Bool) -> [String] {
        var words: [Range<Int>] = []
        var at = 0
        while at < scalars.count {
            while at < scalars.count, isSpace(scalars[at]) { at += 1 }
            let start = at
            while at < scalars.count, !isSpace(scalars[at]) { at += 1 }
            if at > start { words.append(start..<at) }
        }
        if limit >= 0, words.count > limit {
            if fromRight {
                let kept = Array(words.suffix(limit))
                let end = words[words.count - limit - 1].upperBound
                // Python keeps the blanks at the start of an uncut rest.
                words = [0..<end] + kept
            } else {
                words = words.prefix(limit) + [words[limit].lowerBound..<scalars.count]
            }
        }
        return words.map { String(String.UnicodeScalarView(scalars[$0])) }
    }

    static func lines(_ string: String, keepEnds: Bool = false) -> [String] {
        let scalars = Array(string.unicodeScalars)
        var parts: [String] = []
        var start = 0
        var at = 0
        while at < scalars.count {
            let scalar = scalars[at]
            guard isLineEnd(scalar) else {
                at += 1
                continue
            }
            let width = scalar == "\r" && at + 1 < scalars.count && scalars[at + 1] == "\n" ? 2 : 1
            let end = keepEnds ? at + width : at
            parts.append(String(String.UnicodeScalarView(scalars[start..<end])))
            at += width
            start = at
        }
        if start < scalars.count { parts.append(String(String.UnicodeScalarView(scalars[start...]))) }
        return parts
    }

    private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0a...0x0d, 0x1c...0x1e, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    private static func hasAffix(_ name: String, _ string: String, _ call: Call) throws(TemplateError) -> Bool {
        let bound = try call.bound(["prefix", "start", "end"], required: 1)
        let scalars = Array(string.unicodeScalars)
        let range = Evaluator.positions(scalars.count, bound[1]?.int, bound[2]?.int, 1)
        let part = range.map { scalars[$0] }
        var candidates = [bound[0] ?? .null]
        if case .tuple(let items) = candidates[0] { candidates = items }
        for candidate in candidates {
            guard let text = try call.evaluator.lifted(candidate).text else {
                throw TemplateError("\(name) first arg must be str or a tuple of str, not \(candidate.typeName)")
            }
            let wanted = Array(text.unicodeScalars)
            if name == "startswith" ? part.starts(with: wanted) : part.suffix(wanted.count).elementsEqual(wanted),
                part.count >= wanted.count
            {
                return true
            }
        }
        return false
    }

    private static func search(_ name: String, _ string: String, _ call: Call) throws(TemplateError) -> Datum {
        let bound = try call.bound(["sub", "start", "end"], required: 1)
        guard let part = bound[0]?.text else { throw TemplateError("must be str, not \(bound[0]?.typeName ?? "")") }
        let scalars = Array(string.unicodeScalars)
        let range = Evaluator.positions(scalars.count, bound[1]?.int, bound[2]?.int, 1)
        let offset = range.first ?? 0
        let section = String(String.UnicodeScalarView(range.map { scalars[$0] }))
        if name == "count" { return .int(occurrences(part, in: section).count) }
        var found: Int?
        if name == "find" || name == "index" {
            found = find(part, in: section)
        } else {
            let hay = Array(section.unicodeScalars)
            let needle = Array(part.unicodeScalars)
            for at in stride(from: hay.count - needle.count, through: 0, by: -1)
            where hay[at..<(at + needle.count)].elementsEqual(needle) {
                found = at
                break
            }
        }
        if let found { return .int(found + offset) }
        if name.hasSuffix("index") { throw TemplateError("substring not found") }
        return .int(-1)
    }

    static func replace(_ string: String, _ old: String, _ new: String, _ limit: Int = -1) -> String {
        let cuts = occurrences(old, in: string)
        let used = limit >= 0 ? Array(cuts.prefix(limit)) : cuts
        if used.isEmpty { return string }
        let scalars = Array(string.unicodeScalars)
        let width = old.unicodeScalars.count
        var out = String.UnicodeScalarView()
        var start = 0
        for cut in used {
            out += scalars[start..<cut]
            out += new.unicodeScalars
            start = cut + width
        }
        out += scalars[start...]
        return String(out)
    }

    private static func replace(_ string: String, _ call: Call) throws(TemplateError) -> String {
        let bound = try call.bound(["old", "new", "count"], required: 2)
        guard let old = bound[0]?.text, let new = bound[1]?.text else {
            throw TemplateError("replace() arguments must be strings")
        }
        let result = replace(string, old, new, bound[2]?.int ?? -1)
        try call.evaluator.countOutput(result.utf8.count)
        return result
    }

    private static func join(_ string: String, _ call: Call) throws(TemplateError) -> String {
        var parts: [String] = []
        let items = try call.evaluator.items(of: try call.bound(["iterable"], required: 1)[0] ?? .null)
        for (index, item) in items.enumerated() {
            guard let text = item.text else {
                if case .undefined(let undefined) = item { throw undefined.error }
                throw TemplateError("sequence item \(index): expected str instance, \(item.typeName) found")
            }
            parts.append(text)
        }
        return parts.joined(separator: string)
    }

    private static func padded(_ name: String, _ string: String, _ call: Call) throws(TemplateError) -> String {
        let bound = try call.bound(name == "zfill" ? ["width"] : ["width", "fillchar"], required: 1)
        guard let width = bound[0]?.int else { throw TemplateError("'\(name)' takes an integer width") }
        let missing = max(0, width - string.unicodeScalars.count)
        try call.evaluator.countOutput(missing)
        if name == "zfill" {
            let sign = string.prefix { $0 == "+" || $0 == "-" }.prefix(1)
            return sign + String(repeating: "0", count: missing) + string.dropFirst(sign.count)
        }
        let fill = bound[1]?.text ?? " "
        guard fill.unicodeScalars.count == 1 else {
            throw TemplateError("the fill character must be exactly one character long")
        }
        switch name {
        case "ljust": return string + String(repeating: fill, count: missing)
        case "rjust": return String(repeating: fill, count: missing) + string
        default:
            let left = missing / 2 + (missing & width & 1)
            return String(repeating: fill, count: left) + string + String(repeating: fill, count: missing - left)
        }
    }

    private static func partition(_ string: String, _ separator: String, last: Bool) throws(TemplateError) -> [String] {
        if separator.isEmpty { throw TemplateError("empty separator") }
        let parts = try split(string, separator, 1, fromRight: last)
        if parts.count == 1 { return last ? ["", "", string] : [string, "", ""] }
        return [parts[0], separator, parts[1]]
    }

    private static func expandTabs(_ string: String, _ size: Int) -> String {
        var out = ""
        var column = 0
        for scalar in string.unicodeScalars {
            if scalar == "\t" {
                let count = size > 0 ? size - column % size : 0
                out += String(repeating: " ", count: count)
                column += count
            } else {
                out.unicodeScalars.append(scalar)
                column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
            }
        }
        return out
    }

    private static func isKind(_ name: String, _ string: String) -> Bool? {
        let scalars = string.unicodeScalars
        func all(_ test: (Unicode.Scalar) -> Bool) -> Bool { !scalars.isEmpty && scalars.allSatisfy(test) }
        let cased = scalars.filter(\.properties.isCased)
        switch name {
        case "isalpha": return all { $0.properties.isAlphabetic }
        case "isdecimal": return all { $0.properties.numericType == .decimal }
        case "isdigit": return all { $0.properties.numericType == .decimal || $0.properties.numericType == .digit }
        case "isnumeric": return all { $0.properties.numericType != nil }
        case "isalnum": return all { $0.properties.isAlphabetic || $0.properties.numericType != nil }
        case "isspace": return all(isSpace)
        case "isupper": return !cased.isEmpty && cased.allSatisfy(\.properties.isUppercase)
        case "islower": return !cased.isEmpty && cased.allSatisfy(\.properties.isLowercase)
        case "istitle": return !cased.isEmpty && self.cased("title", string) == string
        case "isascii": return scalars.allSatisfy(\.isASCII)
        case "isprintable": return Value.string(string).pythonRepr.unicodeScalars.count - 2 >= scalars.count
            && scalars.allSatisfy { $0 != "\n" && $0 != "\t" && $0 != "\r" && $0.value >= 0x20 && $0.value != 0x7f }
        case "isidentifier":
            guard let first = scalars.first else { return false }
            return (first == "_" || first.properties.isXIDStart)
                && scalars.allSatisfy { $0 == "_" || $0.properties.isXIDContinue }
        default: return nil
        }
    }
}
