import Templates
import Values

/// A term of the lookups that take options in the term itself: `KEY file=users.csv col=2`.
struct LookupTerm {
    /// What is looked up; empty when the term holds only options.
    var key = ""
    var options: Dict

    /// What an option must be; the word for a whole number is the one that Ansible's error says.
    enum Kind { case text, int(String), flag }

    private struct Form {
        let options: KeyValuePairs<String, Kind>
        let parse: @Sendable (_ term: String, _ known: Set<String>) throws(TemplateError) -> LookupTerm
    }

    private static let forms: [String: Form] = [
        "csvfile": Form(
            options: [
                "col": .int("int"), "keycol": .int("int"), "default": .text, "delimiter": .text, "file": .text,
                "encoding": .text,
            ], parse: table),
        "ini": Form(
            options: [
                "type": .text, "file": .text, "section": .text, "re": .flag, "encoding": .text, "default": .text,
                "case_sensitive": .flag, "allow_no_value": .flag, "allow_none": .flag, "interpolation": .flag,
            ], parse: section),
        "password": Form(
            options: ["length": .int("integer"), "encrypt": .text, "chars": .text, "ident": .text, "seed": .text],
            parse: password),
        "sequence": Form(
            options: [
                "start": .int("integer"), "end": .int("integer"), "stride": .int("integer"), "count": .int("integer"),
                "format": .text,
            ], parse: sequence),
    ]

    /// The terms with the options that hold for each: its own before those given to all.
    static func of(_ plugin: String, _ terms: [Value], _ given: Dict) throws(TemplateError) -> [LookupTerm] {
        guard let form = forms[plugin] else { return terms.map { LookupTerm(key: $0.pythonText, options: given) } }
        let known = Set(form.options.map(\.key))
        var all: [LookupTerm] = []
        if terms.isEmpty, plugin == "csvfile" { throw TemplateError("Search key is required but was not found") }
        if terms.isEmpty, given.isEmpty { return [] }
        // All that is needed may be said by name: `lookup('sequence', start=5, end=7)`.
        for term in terms.isEmpty && plugin == "sequence" ? [.string("")] : terms {
            var parsed = try form.parse(term.pythonText, known)
            parsed.options.merge(given.filter { known.contains($0.key.text ?? "") }) { own, _ in own }
            for (name, kind) in form.options {
                guard let value = parsed.options[.string(name)] else { continue }
                parsed.options[.string(name)] = try checked(value, name, kind, plugin)
            }
            all.append(parsed)
        }
        return all
    }

    private static func checked(
        _ value: Value, _ name: String, _ kind: Kind, _ plugin: String
    ) throws(TemplateError) -> Value {
        switch kind {
        case .text: return value
        case .flag: return .bool(value.asBool ?? value.isTrue)
        case .int(let word):
            if let int = value.int ?? Int(value.pythonText.trimmed) { return .int(int) }
            throw TemplateError(
                "Config '\(name)' for '\(plugin)' lookup plugin from 'Direct' has an invalid value: "
                    + "Invalid value provided for '\(word)': '\(value.pythonText)'")
        }
    }

    /// `key=value` pairs, and the rest as it is.
    private static func pairs(_ text: String) -> LookupTerm {
        var options = OneLine.arguments(Text(text), freeForm: nil, known: [])
        let rest = options.removeValue(forKey: "_raw_params")?.text
        return LookupTerm(key: rest ?? "", options: options)
    }

    @Sendable private static func table(_ term: String, _ known: Set<String>) throws(TemplateError) -> LookupTerm {
        let parsed = pairs(term)
        if parsed.key.isEmpty { throw TemplateError("Search key is required but was not found") }
        if let other = parsed.options.keys.first(where: { !known.contains($0.pythonText) }) {
            throw TemplateError("'\(other.pythonText)' is not a valid option")
        }
        return parsed
    }

    /// Blanks belong to the value before them, until the next option's name.
    @Sendable private static func section(_ term: String, _ known: Set<String>) throws(TemplateError) -> LookupTerm {
        guard term.contains("=") || term.trimmed.contains(" ") else {
            return LookupTerm(key: term, options: Dict())
        }
        var parts: [(name: String, text: String)] = []
        for word in term.split(whereSeparator: \.isWhitespace).map(String.init) {
            let named = word.firstIndex(of: "=").map { String(word[..<$0]) }.flatMap { known.contains($0) ? $0 : nil }
            if parts.isEmpty || named != nil {
                parts.append((named ?? "", word))
            } else {
                parts[parts.count - 1].text += " " + word
            }
        }
        var parsed = LookupTerm(options: Dict())
        for part in parts {
            guard let equals = part.text.firstIndex(of: "=") else {
                if parsed.key.isEmpty { parsed.key = part.text }
                continue
            }
            let name = String(part.text[..<equals])
            if !known.contains(name) { throw TemplateError("'\(name)' is not a valid option.") }
            parsed.options[name] = .string(String(part.text[part.text.index(after: equals)...]))
        }
        if parsed.key.isEmpty {
            throw TemplateError(
                "No key to look up was provided as first term within string inline options: \(term)")
        }
        return parsed
    }

    @Sendable private static func password(_ term: String, _ known: Set<String>) throws(TemplateError) -> LookupTerm {
        guard let blank = term.firstIndex(of: " ") else { return LookupTerm(key: term, options: Dict()) }
        var parsed = pairs(String(term[term.index(after: blank)...]))
        parsed.key = parsed.key.isEmpty ? String(term[..<blank]) : "\(term[..<blank]) \(parsed.key)"
        guard term.hasPrefix(parsed.key) else {
            throw TemplateError("Unrecognized value after key=value parameters given to password lookup")
        }
        let others = parsed.options.keys.map(\.pythonText).filter { !known.contains($0) }
        if !others.isEmpty {
            throw TemplateError(
                "Unrecognized parameter(s) given to password lookup: \(others.joined(separator: ", "))")
        }
        if let chars = parsed.options["chars"]?.text {
            let comma = chars.contains(",,") ? [Value.string(",")] : []
            let rest = chars.replacing(",,", with: ",").split(separator: ",").map { Value.string(String($0)) }
            parsed.options["chars"] = .list(comma + rest)
        }
        return parsed
    }

    /// `start=1 end=5`, or the short form `1-5/2:%02x`.
    @Sendable private static func sequence(_ term: String, _ known: Set<String>) throws(TemplateError) -> LookupTerm {
        if let short = shortSequence(term) { return LookupTerm(options: short) }
        let parsed = pairs(term)
        var others = parsed.options.keys.map(\.pythonText).filter { !known.contains($0) }
        if !parsed.key.isEmpty { others.append("_raw_params") }
        if !others.isEmpty {
            throw TemplateError(
                "unrecognized arguments to with_sequence: [\(others.map { "'\($0)'" }.joined(separator: ", "))]")
        }
        return parsed
    }

    private static func shortSequence(_ term: String) -> Dict? {
        var rest = term[...]
        var options = Dict()
        func number() -> String? {
            let digits = rest.prefix { $0.isHexDigit || $0 == "x" || $0 == "X" }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(digits.count)
            return String(digits)
        }
        guard let first = number() else { return nil }
        options["end"] = .string(first)
        if rest.first == "-" {
            rest.removeFirst()
            guard let end = number() else { return nil }
            options["start"] = .string(first)
            options["end"] = .string(end)
        }
        if rest.first == "/" {
            rest.removeFirst()
            guard let stride = number() else { return nil }
            options["stride"] = .string(stride)
        }
        if rest.first == ":", rest.count > 1 {
            options["format"] = .string(String(rest.dropFirst()))
            rest = ""
        }
        return rest.isEmpty ? options : nil
    }
}

/// Numbers, printed: `with_sequence`.
enum SequenceLookup {
    static func items(_ terms: [Value], _ options: Dict, _ scope: TaskScope) throws(TemplateError) -> [Value] {
        var all: [Value] = []
        for term in try LookupTerm.of("sequence", terms, options) { all += try numbers(term.options, scope) }
        return all
    }

    private static func numbers(_ settings: Dict, _ scope: TaskScope) throws(TemplateError) -> [Value] {
        let start = settings["start"]?.int ?? 1
        let stride = settings["stride"]?.int ?? 1
        var end = settings["end"]?.int
        if let count = settings["count"]?.int {
            if end != nil { throw TemplateError("can't specify both count and end in with_sequence") }
            if count == 0 { return [] }
            end = start + count * stride - 1
        }
        guard let end else { throw TemplateError("must specify count or end in with_sequence") }
        if stride > 0, end < start { throw TemplateError("to count backwards make stride negative") }
        if stride < 0, end > start { throw TemplateError("to count forward don't make stride negative") }
        if stride == 0 { return [] }
        let format = settings["format"]?.pythonText ?? "%d"
        if format.count(where: { $0 == "%" }) != 1 { throw TemplateError("bad formatting string: \(format)") }
        guard (end - start) / stride < 1_000_000 else {
            throw TemplateError("a sequence from \(start) to \(end) by \(stride) has too many items")
        }
        return try Swift.stride(from: start, through: end, by: stride).map { (number) throws(TemplateError) in
            do throws(TemplateError) {
                return .string(try scope.run.templater.printed(format, .int(number), in: scope))
            } catch {
                throw TemplateError("problem formatting \(number) with '\(format)'")
            }
        }
    }
}
