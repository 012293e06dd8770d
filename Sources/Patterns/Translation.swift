import Values

/// Rewrites a pattern of Python's `re` into PCRE2's syntax, and refuses what Python refuses.
struct PatternTranslation {
    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var verbose: Bool
    private(set) var out = ""
    private(set) var groupCount = 0
    private(set) var groupNames: [String: Int] = [:]
    private(set) var globalFlags: Pattern.Flags = []

    init(_ pattern: String, verbose: Bool) {
        scalars = Array(pattern.unicodeScalars)
        self.verbose = verbose
    }

    private var peek: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }
    private func ahead(_ distance: Int) -> Unicode.Scalar? {
        at + distance < scalars.count ? scalars[at + distance] : nil
    }
    private func failure(_ message: String, at position: Int? = nil) -> PatternError {
        PatternError(message, at: position ?? at)
    }
    private mutating func take(_ count: Int = 1) {
        for _ in 0..<count where at < scalars.count {
            out.unicodeScalars.append(scalars[at])
            at += 1
        }
    }

    mutating func run() throws(PatternError) {
        while let scalar = peek {
            switch scalar {
            case "\\": try escape(inClass: false)
            case "[": try characterClass()
            case "(": try group()
            case "{": brace()
            case "#" where verbose:
                while let next = peek, next != "\n" { _ = next; take() }
            default: take()
            }
        }
    }

    /// `{,n}` means `{0,n}`; anything that is no repetition is text.
    private mutating func brace() {
        var end = at + 1
        while end < scalars.count, "0123456789,".unicodeScalars.contains(scalars[end]) { end += 1 }
        let body = scalars[(at + 1)..<end]
        let commas = body.filter { $0 == "," }.count
        guard end < scalars.count, scalars[end] == "}", !body.isEmpty, commas <= 1 else {
            out += "\\{"
            at += 1
            return
        }
        var text = String(String.UnicodeScalarView(body))
        if text.hasPrefix(",") { text = "0" + text }
        out += "{\(text)}"
        at = end + 1
    }

    private mutating func escape(inClass: Bool) throws(PatternError) {
        guard let next = ahead(1) else { throw failure("bad escape (end of pattern)") }
        switch next {
        case "Z" where !inClass:
            out += "\\z"
            at += 2
        case "A" where !inClass, "B" where !inClass: take(2)
        case "b", "d", "D", "s", "S", "w", "W", "n", "r", "t", "f": take(2)
        case "a":
            out += "\\x07"
            at += 2
        case "v":
            out += "\\x0b"
            at += 2
        case "x": try hex(2)
        case "u": try hex(4)
        case "U": try hex(8)
        case "0"..."9": try number(inClass: inClass)
        case "a"..."z", "A"..."Z": throw failure("bad escape \\\(next)")
        default:
            // PCRE2 gives no meaning to an escaped character that is neither letter nor digit.
            if next.value < 0x80 { out += "\\" }
            out.unicodeScalars.append(next)
            at += 2
        }
    }

    private mutating func hex(_ count: Int) throws(PatternError) {
        let start = at + 2
        let end = min(scalars.count, start + count)
        let digits = String(String.UnicodeScalarView(scalars[start..<max(start, end)]))
        guard digits.unicodeScalars.count == count, let value = UInt32(digits, radix: 16), !digits.hasPrefix("+") else {
            throw failure("incomplete escape \\\(scalars[at + 1])\(digits)")
        }
        out += "\\x{\(String(value, radix: 16))}"
        at = end
    }

    /// Octal where it starts with 0 or has three octal digits; else a group seen before.
    private mutating func number(inClass: Bool) throws(PatternError) {
        var digits = ""
        var end = at + 1
        func isOctal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."7").contains(scalar) }
        while end < scalars.count, digits.count < 3, ("0"..."9").contains(scalars[end]) {
            digits.unicodeScalars.append(scalars[end])
            end += 1
        }
        let octal = digits.unicodeScalars.prefix { isOctal($0) }
        if digits.hasPrefix("0") || octal.count == 3 || (inClass && !octal.isEmpty) {
            let body = digits.hasPrefix("0") ? digits.unicodeScalars.prefix(3).prefix { isOctal($0) } : octal
            out += "\\x{\(String(UInt32(String(body), radix: 8) ?? 0, radix: 16))}"
            at += 1 + body.count
            return
        }
        if inClass { throw failure("bad escape \\\(digits)") }
        let reference = String(digits.prefix(2))
        guard let group = Int(reference), group <= groupCount else {
            throw failure("invalid group reference \(reference)", at: at + 1)
        }
        out += "\\g{\(group)}"
        at += 1 + reference.count
    }

    private mutating func characterClass() throws(PatternError) {
        let start = at
        take()
        if peek == "^" { take() }
        var first = true
        while let scalar = peek {
            switch scalar {
            case "]" where !first:
                take()
                return
            case "]", "[":
                out += "\\"
                take()
            case "\\": try escape(inClass: true)
            default: take()
            }
            first = false
        }
        throw failure("unterminated character set", at: start)
    }

    private mutating func group() throws(PatternError) {
        guard ahead(1) == "?" else {
            if ahead(1) == "*" { throw failure("nothing to repeat", at: at + 1) }
            groupCount += 1
            take()
            return
        }
        switch ahead(2) {
        case ":", "=", "!", ">": take(3)
        case "<":
            guard ahead(3) == "=" || ahead(3) == "!" else {
                throw failure("unknown extension ?<\(ahead(3).map(String.init) ?? "")", at: at + 1)
            }
            take(4)
        case "#":
            guard let end = scalars[at...].firstIndex(of: ")") else {
                throw failure("missing ), unterminated comment")
            }
            at = end + 1
        case "(": try condition()
        case "P": try named()
        default: try inlineFlags()
        }
    }

    /// `(?(1)yes|no)` and `(?(name)yes|no)`.
    private mutating func condition() throws(PatternError) {
        guard let end = scalars[at...].firstIndex(of: ")") else { throw failure("missing ), unterminated name") }
        let name = String(String.UnicodeScalarView(scalars[(at + 3)..<end]))
        if let number = Int(name) {
            out += "(?(\(number))"
        } else if groupNames[name] != nil {
            out += "(?(<\(name)>)"
        } else {
            throw failure("unknown group name '\(name)'", at: at + 3)
        }
        at = end + 1
    }

    private mutating func named() throws(PatternError) {
        let isReference = ahead(3) == "="
        guard isReference || ahead(3) == "<" else {
            throw failure("unknown extension ?P\(ahead(3).map(String.init) ?? "")", at: at + 1)
        }
        guard let end = scalars[(at + 4)...].firstIndex(of: isReference ? ")" : ">") else {
            throw failure("missing \(isReference ? ")" : ">"), unterminated name", at: at + 4)
        }
        let name = String(String.UnicodeScalarView(scalars[(at + 4)..<end]))
        let letters = name.unicodeScalars
        guard let first = letters.first, first == "_" || first.properties.isAlphabetic,
            letters.allSatisfy({ $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType != nil })
        else { throw failure("bad character in group name '\(name)'", at: at + 4) }
        if isReference {
            guard let number = groupNames[name] else { throw failure("unknown group name '\(name)'", at: at + 4) }
            out += "\\g{\(number)}"
        } else {
            groupCount += 1
            guard groupNames[name] == nil else {
                throw failure("redefinition of group name '\(name)' as group \(groupCount)", at: at + 4)
            }
            groupNames[name] = groupCount
            // PCRE2 allows ASCII names of 32 characters; numbers do what names would.
            out += letters.allSatisfy { $0.value < 0x80 } && letters.count <= 32 ? "(?<\(name)>" : "("
        }
        at = end + 1
    }

    /// `(?i)` at the start of the pattern, `(?i-s:…)` anywhere.
    private mutating func inlineFlags() throws(PatternError) {
        var end = at + 2
        var kept = ""
        var negative = false
        var flags: Pattern.Flags = []
        while end < scalars.count, scalars[end] != ")", scalars[end] != ":" {
            let scalar = scalars[end]
            switch scalar {
            case "i", "m", "s", "x":
                kept.unicodeScalars.append(scalar)
                let all: [Unicode.Scalar: Pattern.Flags] = [
                    "i": .ignoreCase, "m": .multiline, "s": .dotAll, "x": .verbose,
                ]
                if !negative { flags.formUnion(all[scalar] ?? []) }
            case "a": flags.insert(.ascii)
            case "L", "u": break
            case "-" where !negative:
                negative = true
                kept += "-"
            default: throw failure("unknown extension ?\(scalar)", at: at + 1)
            }
            end += 1
        }
        guard end < scalars.count else { throw failure("missing -, : or )", at: end) }
        if scalars[end] == ":" {
            out += "(?\(kept):"
        } else {
            if negative { throw failure("missing :", at: end) }
            if at != 0, !out.isEmpty { throw failure("global flags not at the start of the expression") }
            globalFlags.formUnion(flags)
            if flags.contains(.verbose) { verbose = true }
        }
        at = end + 1
    }
}

/// One piece of a replacement template.
enum ReplacementPart {
    case literal(String)
    case group(Int)
}

extension Pattern {
    /// The parts of a replacement as Python's `sub` reads it.
    func replacement(_ template: String) throws(PatternError) -> [ReplacementPart] {
        let scalars = Array(template.unicodeScalars)
        var parts: [ReplacementPart] = []
        var literal = ""
        var at = 0
        func group(_ number: Int, _ position: Int) throws(PatternError) {
            guard number <= groupCount else { throw PatternError("invalid group reference \(number)", at: position) }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = ""
            parts.append(.group(number))
        }
        while at < scalars.count {
            guard scalars[at] == "\\" else {
                literal.unicodeScalars.append(scalars[at])
                at += 1
                continue
            }
            guard at + 1 < scalars.count else { throw PatternError("bad escape (end of pattern)", at: at) }
            let next = scalars[at + 1]
            if next == "g" {
                guard at + 2 < scalars.count, scalars[at + 2] == "<" else {
                    throw PatternError("missing <", at: at + 2)
                }
                guard let end = scalars[at...].firstIndex(of: ">") else {
                    throw PatternError("missing >, unterminated name", at: at + 3)
                }
                let name = String(String.UnicodeScalarView(scalars[(at + 3)..<end]))
                if name.isEmpty { throw PatternError("missing group name", at: at + 3) }
                guard let number = Int(name) ?? groupNames[name] else {
                    throw PatternError("unknown group name '\(name)'", at: at + 3)
                }
                try group(number, at + 3)
                at = end + 1
            } else if ("0"..."9").contains(next) {
                let (number, isOctal, length) = Self.number(scalars, at + 1)
                if isOctal { literal.unicodeScalars.append(Unicode.Scalar(UInt8(truncatingIfNeeded: number))) } else {
                    try group(number, at + 1)
                }
                at += 1 + length
            } else {
                let named: [Unicode.Scalar: Unicode.Scalar] = [
                    "n": "\n", "t": "\t", "r": "\r", "a": "\u{7}", "b": "\u{8}", "f": "\u{c}", "v": "\u{b}", "\\": "\\",
                ]
                if let plain = named[next] {
                    literal.unicodeScalars.append(plain)
                } else if ("a"..."z").contains(next) || ("A"..."Z").contains(next) {
                    throw PatternError("bad escape \\\(next)", at: at)
                } else {
                    literal.unicodeScalars.append("\\")
                    literal.unicodeScalars.append(next)
                }
                at += 2
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    /// A group of one or two digits, or an octal character: `\0`, `\07`, three octal digits.
    private static func number(_ scalars: [Unicode.Scalar], _ start: Int) -> (value: Int, isOctal: Bool, length: Int) {
        var digits: [Unicode.Scalar] = []
        while start + digits.count < scalars.count, digits.count < 3,
            ("0"..."9").contains(scalars[start + digits.count])
        {
            digits.append(scalars[start + digits.count])
        }
        let octal = digits.prefix { ("0"..."7").contains($0) }
        func value(_ part: some Sequence<Unicode.Scalar>, _ radix: Int) -> Int {
            part.reduce(0) { $0 * radix + Int($1.value) - 48 }
        }
        if digits[0] == "0" { return (value(octal, 8), true, octal.count) }
        if octal.count == 3 { return (value(octal, 8), true, 3) }
        return (value(digits.prefix(2), 10), false, min(2, digits.count))
    }
}
