import Patterns
import Values

/// The orders of versions that `is version` knows.
enum Version {
    private enum Part { case number(BigInt), word(String) }

    static func compare(
        _ left: String, _ right: String, _ sign: String, strict: Bool?, type: String?
    ) throws(TemplateError) -> Bool {
        let signs: [String: (Int) -> Bool] = [
            "==": { $0 == 0 }, "=": { $0 == 0 }, "eq": { $0 == 0 }, "<": { $0 < 0 }, "lt": { $0 < 0 },
            "<=": { $0 <= 0 }, "le": { $0 <= 0 }, ">": { $0 > 0 }, "gt": { $0 > 0 }, ">=": { $0 >= 0 },
            "ge": { $0 >= 0 }, "!=": { $0 != 0 }, "<>": { $0 != 0 }, "ne": { $0 != 0 },
        ]
        if strict != nil, type != nil { throw TemplateError("cannot specify both 'strict' and 'version_type'") }
        if left.isEmpty { throw TemplateError("input version value cannot be empty") }
        if right.isEmpty { throw TemplateError("version parameter to compare against cannot be empty") }
        guard let holds = signs[sign] else {
            throw TemplateError(
                "invalid operator '\(sign)'", hint: "known: eq, ne, lt, le, gt, ge, ==, !=, <, <=, >, >=")
        }
        switch strict == true ? "strict" : type ?? "loose" {
        case "loose": return holds(try loose(left, right))
        case "strict": return holds(try order(strictParts(left), strictParts(right)))
        case "semver", "semantic": return holds(try semantic(left, right))
        case "pep440":
            let order = try order(pep440(left), pep440(right))
            return holds(order != 0 ? order : localOrder(left, right))
        default:
            throw TemplateError(
                "invalid version type '\(type ?? "")'", hint: "known: loose, strict, semver, semantic, pep440")
        }
    }

    private static func parts(_ text: String) -> [Part] {
        var parts: [Part] = []
        var run = ""
        var kind = 0
        func flush() {
            if run.isEmpty { return }
            parts.append(kind == 1 ? .number(BigInt(digits: run) ?? BigInt(0)) : .word(run))
            run = ""
        }
        for character in text {
            let now = character.isASCII && character.isNumber ? 1 : character.isASCII && character.isLowercase ? 2
                : character == "." ? 0 : 3
            if now != kind || now == 0 { flush() }
            kind = now
            if now != 0 { run.append(character) }
        }
        flush()
        return parts
    }

    private static func loose(_ left: String, _ right: String) throws(TemplateError) -> Int {
        let a = parts(left)
        let b = parts(right)
        for (x, y) in zip(a, b) {
            switch (x, y) {
            case (.number(let x), .number(let y)): if x != y { return x < y ? -1 : 1 }
            case (.word(let x), .word(let y)): if x != y { return Value.precedes(x, y) ? -1 : 1 }
            default:
                throw TemplateError("version comparison failed: '\(left)' and '\(right)' mix numbers and words")
            }
        }
        return a.count == b.count ? 0 : a.count < b.count ? -1 : 1
    }

    private static func order(_ left: [Int], _ right: [Int]) -> Int {
        for (a, b) in zip(left, right) where a != b { return a < b ? -1 : 1 }
        return left.count == right.count ? 0 : left.count < right.count ? -1 : 1
    }

    /// `1.2`, `1.2.3`, `1.2a1`: major, minor, patch, then 0 alpha, 1 beta, 2 release, and its number.
    private static func strictParts(_ text: String) throws(TemplateError) -> [Int] {
        var rest = text[...]
        var numbers: [Int] = []
        while numbers.count < 3 {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int(digits) else { throw TemplateError("invalid version number '\(text)'") }
            numbers.append(number)
            rest = rest.dropFirst(digits.count)
            guard rest.first == "." else { break }
            rest = rest.dropFirst()
        }
        guard numbers.count >= 2 else { throw TemplateError("invalid version number '\(text)'") }
        if numbers.count == 2 { numbers.append(0) }
        guard let letter = rest.first else { return numbers + [2, 0] }
        guard letter == "a" || letter == "b", let number = Int(rest.dropFirst()) else {
            throw TemplateError("invalid version number '\(text)'")
        }
        return numbers + [letter == "a" ? 0 : 1, number]
    }

    private static func semantic(_ left: String, _ right: String) throws(TemplateError) -> Int {
        let a = try semanticParts(left)
        let b = try semanticParts(right)
        let core = order(a.core, b.core)
        if core != 0 { return core }
        if a.pre.isEmpty || b.pre.isEmpty { return a.pre.isEmpty == b.pre.isEmpty ? 0 : a.pre.isEmpty ? 1 : -1 }
        for (x, y) in zip(a.pre, b.pre) where x != y {
            switch (Int(x), Int(y)) {
            case (let m?, let n?): if m != n { return m < n ? -1 : 1 }
            case (nil, nil): return Value.precedes(x, y) ? -1 : 1
            case (let m, _): return m != nil ? -1 : 1
            }
        }
        return a.pre.count == b.pre.count ? 0 : a.pre.count < b.pre.count ? -1 : 1
    }

    private static func semanticParts(_ text: String) throws(TemplateError) -> (core: [Int], pre: [String]) {
        let build = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        let halves = (build.first ?? "").split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = (halves.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
        let core = numbers.compactMap { $0.hasPrefix("0") && $0.count > 1 ? nil : Int($0) }
        guard numbers.count == 3, core.count == 3 else { throw TemplateError("invalid semantic version '\(text)'") }
        return (core, halves.count > 1 ? halves[1].split(separator: ".").map(String.init) : [])
    }

    private static func isPEP440(_ text: String) -> Bool {
        let form = #"v?(\d+!)?\d+(\.\d+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?"#
            + #"(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?"#
        return (try? Pattern(form).firstMatch(in: Array(text.utf8), .whole)) != nil
    }

    /// By what stands behind a plus: nothing comes first, words come before numbers.
    private static func localOrder(_ left: String, _ right: String) -> Int {
        func parts(_ text: String) -> [String] {
            let local = StringMethods.strip(text).lowercased().split(separator: "+", maxSplits: 1).dropFirst().first
            return (local ?? "").split { ".-_".contains($0) }.map(String.init)
        }
        let a = parts(left)
        let b = parts(right)
        for (x, y) in zip(a, b) where x != y {
            switch (Int(x), Int(y)) {
            case (let m?, let n?): if m != n { return m < n ? -1 : 1 }
            case (nil, nil): return Value.precedes(x, y) ? -1 : 1
            case (let m, _): return m == nil ? -1 : 1
            }
        }
        return a.count == b.count ? 0 : a.count < b.count ? -1 : 1
    }

    /// Epoch, release without zeros at its end, then what orders dev, a, b, rc, final and post releases.
    private static func pep440(_ text: String) throws(TemplateError) -> [Int] {
        let lower = StringMethods.strip(text).lowercased()
        let failure = TemplateError("invalid version: '\(text)'")
        guard isPEP440(lower) else { throw failure }
        var rest = (lower.hasPrefix("v") ? lower.dropFirst() : lower[...])
        rest = rest.prefix { $0 != "+" }
        var epoch = 0
        if let bang = rest.firstIndex(of: "!") {
            guard let number = Int(rest[..<bang]) else { throw failure }
            epoch = number
            rest = rest[rest.index(after: bang)...]
        }
        func number() -> Int? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return Int(digits)
        }
        var release: [Int] = []
        while let part = number() {
            release.append(part)
            guard rest.first == ".", rest.dropFirst().first?.isNumber ?? false else { break }
            rest = rest.dropFirst()
        }
        guard !release.isEmpty else { throw failure }
        while release.count > 1, release.last == 0 { release.removeLast() }
        release += Array(repeating: 0, count: max(0, 12 - release.count))
        var pre = [3, 0]
        var post = -1
        var dev = Int.max
        var hasPre = false
        while !rest.isEmpty {
            if let mark = rest.first, ".-_".contains(mark) { rest = rest.dropFirst() }
            let word = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(word.count)
            if !word.isEmpty, let mark = rest.first, ".-_".contains(mark), rest.dropFirst().first?.isNumber ?? false {
                rest = rest.dropFirst()
            }
            let value = number() ?? 0
            switch word {
            case "a", "alpha": pre = [0, value]; hasPre = true
            case "b", "beta": pre = [1, value]; hasPre = true
            case "rc", "c", "pre", "preview": pre = [2, value]; hasPre = true
            case "post", "rev", "r", "": post = value
            case "dev": dev = value
            default: throw failure
            }
        }
        // A development release of the final version comes before its alphas.
        if !hasPre, post < 0, dev != .max { pre = [-1, 0] }
        return [epoch] + release + pre + [post, dev]
    }
}
