import Patterns
import Values

extension Filters {
    /// Runs what works with patterns; its errors become the template's.
    static func regex<T>(_ body: () throws(PatternError) -> T) throws(TemplateError) -> T {
        do throws(PatternError) {
            return try body()
        } catch {
            throw TemplateError("in the regular expression: \(error)")
        }
    }

    private static func patternText(_ datum: Datum?) throws(TemplateError) -> String {
        guard let datum else { return "" }
        guard let text = datum.text else {
            throw TemplateError(
                "the pattern has to be text, not '\(datum.typeName)'",
                words: "first argument must be string or compiled pattern")
        }
        return text
    }

    private static func flags(_ c: FilterCall, ignoreCase: Int, multiline: Int) throws(TemplateError) -> Pattern.Flags {
        var flags: Pattern.Flags = []
        if try c.flag(ignoreCase) { flags.insert(.ignoreCase) }
        if try c.flag(multiline) { flags.insert(.multiline) }
        return flags
    }

    static func addPatterns(_ table: inout FilterTable) {
        table.add(
            "regex_replace",
            parameters: ["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"]
        ) { (c) throws(TemplateError) in
            let flags = try flags(c, ignoreCase: 2, multiline: 3)
            let subject = try c.string()
            let source = try patternText(c[0])
            let replacement = c[1]?.text ?? ""
            if let given = c[1], given.text == nil {
                throw TemplateError("the replacement has to be text, not '\(given.typeName)'")
            }
            let limit = try c.int(4) ?? 0
            let pattern = try c.evaluator.templater.pattern(source, flags)
            let (text, count) = try regex { () throws(PatternError) in
                try pattern.substitute(subject, with: replacement, limit: limit)
            }
            if let wanted = try c.int(5), wanted != 0, wanted != count {
                throw TemplateError("'\(source)' should match \(wanted) times, but matches \(count) times")
            }
            return .string(text)
        }
        table.add("regex_findall", parameters: ["regex", "multiline", "ignorecase"], required: 1) {
            (c) throws(TemplateError) in
            let flags = try flags(c, ignoreCase: 2, multiline: 1)
            let pattern = try c.evaluator.templater.pattern(try patternText(c[0]), flags)
            let subject = try c.string()
            let rows = try regex { () throws(PatternError) in try pattern.findAll(subject) }
            return .list(
                rows.map { $0.count == 1 ? .string($0[0]) : .tuple($0.map { .string($0) }) })
        }
        table.add("regex_search", isOpen: true) { (c) throws(TemplateError) in try search(c) }
        table.add("regex_escape", parameters: ["re_type"]) { (c) throws(TemplateError) in
            let kind = try c.text(0) ?? "python"
            switch kind {
            case "python": return .string(Pattern.escape(try c.string()))
            case "posix_basic":
                var out = ""
                for scalar in try c.string().unicodeScalars {
                    if "[].^$*\\".unicodeScalars.contains(scalar) { out += "\\" }
                    out.unicodeScalars.append(scalar)
                }
                return .string(out)
            case "posix_extended": throw TemplateError("Regex type (\(kind)) not yet implemented")
            default: throw TemplateError("Invalid regex type (\(kind))")
            }
        }
    }

    private static func search(_ c: FilterCall) throws(TemplateError) -> Datum {
        var flags: Pattern.Flags = []
        for (name, value) in c.call.named where try c.evaluator.isTrue(value) {
            switch name {
            case "ignorecase": flags.insert(.ignoreCase)
            case "multiline": flags.insert(.multiline)
            default: continue
            }
        }
        let named = c.call.named.first { $0.name == "regex" }?.value
        guard let source = c.call.positional.first ?? named else {
            throw TemplateError("'regex_search' lacks argument 'regex'")
        }
        let pattern = try c.evaluator.templater.pattern(try patternText(source), flags)
        let subject = try c.string()
        for argument in c.call.positional.dropFirst() { try checkGroup(argument) }
        guard let match = try regex({ () throws(PatternError) in try pattern.search(subject) }) else { return .null }
        if c.call.positional.count <= 1 { return .string(match.text) }
        var groups: [Datum] = []
        for argument in c.call.positional.dropFirst() {
            let text = try c.evaluator.text(argument)
            var number: Int?
            if text.hasPrefix("\\g<"), text.hasSuffix(">") {
                let name = String(text.dropFirst(3).dropLast())
                number = pattern.groupNames[name] ?? Int(name)
            } else {
                number = Int(String(text.dropFirst().prefix { $0.isNumber }))
            }
            guard let number, number <= pattern.groupCount else { throw TemplateError("no such group: '\(text)'") }
            groups.append(.optional(match.group(number)))
        }
        return .list(groups)
    }

    /// What is asked for has to be the number or the name of a group.
    private static func checkGroup(_ argument: Datum) throws(TemplateError) {
        let hint = #"groups are written as '\\1' or '\\g<name>'"#
        guard let text = argument.text else {
            throw TemplateError("'\(argument.typeName)' object has no attribute 'startswith'", hint: hint)
        }
        let isName = text.hasPrefix("\\g<") && text.contains(">")
        let isNumber = text.hasPrefix("\\") && (text.dropFirst().first?.isNumber ?? false)
        if !isName, !isNumber { throw TemplateError("Unknown argument '\(text)'", hint: hint) }
    }

    static func addPatternTests(_ table: inout FilterTable) {
        for (name, position) in [("match", Pattern.Position.start), ("search", .anywhere)] {
            table.add(name, parameters: ["pattern", "ignorecase", "multiline"]) { (c) throws(TemplateError) in
                .bool(try matches(c, position))
            }
        }
        table.add("regex", parameters: ["pattern", "ignorecase", "multiline", "match_type"]) {
            (c) throws(TemplateError) in
            let kind = try c.text(3) ?? "search"
            return .bool(try matches(c, kind == "match" ? .start : kind == "fullmatch" ? .whole : .anywhere))
        }
    }

    private static func matches(_ c: FilterCall, _ position: Pattern.Position) throws(TemplateError) -> Bool {
        let flags = try flags(c, ignoreCase: 1, multiline: 2)
        let pattern = try c.evaluator.templater.pattern(try patternText(c[0]), flags)
        let subject = Array(try c.string().utf8)
        return try regex { () throws(PatternError) in try pattern.firstMatch(in: subject, position) != nil }
    }
}
