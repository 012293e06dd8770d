import Patterns
import Templates
import Values
import Wire

/// Lookup plugins. Those over values are computed here; those that read the controller ask it.
package struct Lookup {
    private let name: String
    private let scope: TaskScope

    init(_ plugin: String, scope: TaskScope) {
        var name = plugin
        for prefix in ["ansible.builtin.", "ansible.legacy.", "community.general."] where name.hasPrefix(prefix) {
            name = String(name.dropFirst(prefix.count))
        }
        self.name = name
        self.scope = scope
    }

    func results(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        switch name {
        case "items": return flattened(terms, levels: 1)
        case "flattened": return flattened(terms, levels: .max)
        case "list": return terms
        case "dict": return try dict(terms)
        case "nested", "cartesian": return product(terms.map { $0.list ?? [$0] })
        case "together": return together(terms.map { $0.list ?? [$0] })
        case "indexed_items":
            return flattened(terms, levels: 1).enumerated().map { .list([.int($0.offset), $0.element]) }
        case "subelements": return try subelements(terms)
        case "sequence": return try sequence(terms, options)
        case "random_choice": return terms.isEmpty ? [] : [terms[Int.random(in: 0..<terms.count)]]
        case "vars": return try variables(terms, options)
        case "varnames": return try variableNames(terms)
        case "template": return try templates(terms, options)
        case "inventory_hostnames", "env", "file", "fileglob", "first_found", "pipe", "password", "url", "lines", "ini",
            "csvfile", "config", "unvault":
            return try ask(terms, options)
        default:
            throw TemplateError(
                "there is no lookup plugin '\(name)'", hint: suggestion(for: name, among: Self.names))
        }
    }

    /// Those that playbooks can name.
    package static let names = [
        "items", "flattened", "list", "dict", "nested", "cartesian", "together", "indexed_items", "subelements",
        "sequence", "random_choice", "vars", "varnames", "template", "inventory_hostnames", "env", "file", "fileglob",
        "first_found", "pipe", "password", "url", "lines", "ini", "csvfile", "config", "unvault",
    ]

    private func ask(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        do throws(Interruption) {
            let question = Question.lookup(plugin: name, terms: terms, options: options, scope.basis)
            switch try scope.run.coordinator.ask(question) {
            case .values(let values): return values.map(\.untrusted)
            case .failure(let diagnostic): throw Interruption.failed(TaskFailure(diagnostic))
            default: throw Interruption.unexpectedAnswer
            }
        } catch {
            if case .failed(let failure) = error, let diagnostic = failure.diagnostic {
                throw TemplateError(diagnostic)
            }
            throw TemplateError(error.message)
        }
    }

    private func flattened(_ terms: [Value], levels: Int) -> [Value] {
        terms.flatMap { term -> [Value] in
            guard case .list(let list) = term, levels > 0 else { return [term] }
            return flattened(list, levels: levels - 1)
        }
    }

    private func dict(_ terms: [Value]) throws(TemplateError) -> [Value] {
        var pairs: [Value] = []
        for term in terms.flatMap({ $0.list ?? [$0] }) {
            guard let dict = term.dict else { throw TemplateError("with_dict expects a mapping, not \(term.typeName)") }
            pairs += dict.map { .dict(["key": $0.key, "value": $0.value]) }
        }
        return pairs
    }

    private func product(_ lists: [[Value]]) -> [Value] {
        var rows: [[Value]] = [[]]
        for list in lists { rows = rows.flatMap { row in list.map { row + [$0] } } }
        return rows.map { .list($0.flatMap { $0.list ?? [$0] }) }
    }

    private func together(_ lists: [[Value]]) -> [Value] {
        let count = lists.map(\.count).max() ?? 0
        return (0..<count).map { index in .list(lists.map { index < $0.count ? $0[index] : .null }) }
    }

    private func subelements(_ terms: [Value]) throws(TemplateError) -> [Value] {
        guard terms.count >= 2, let key = terms[1].text else {
            throw TemplateError("subelements expects a list, the name of a member, and options")
        }
        let skipsMissing = terms.count > 2 && terms[2]["skip_missing"]?.isTrue ?? false
        let elements = terms[0].list ?? terms[0].dict.map { Array($0.values) } ?? []
        var pairs: [Value] = []
        for element in elements where !(element["skipped"]?.isTrue ?? false) {
            var inner: Value? = element
            for part in key.split(separator: ".") { inner = inner?[String(part)] }
            guard let list = inner?.list else {
                if skipsMissing { continue }
                throw TemplateError("an element has no list '\(key)'")
            }
            // The element stands beside it without its list, as with Ansible.
            let rest = without(path: key.split(separator: ".").map(String.init)[...], element)
            pairs += list.map { .list([rest, $0]) }
        }
        return pairs
    }

    private func without(path: ArraySlice<String>, _ value: Value) -> Value {
        guard let first = path.first, var dict = value.dict else { return value }
        dict[first] = path.count == 1 ? nil : dict[first].map { without(path: path.dropFirst(), $0) }
        return .dict(dict)
    }

    /// `start=1 end=5 stride=2 format=%02x`, or `1-5/2:%02x`, or options.
    private func sequence(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        guard let first = terms.first else { return try numbers(options) }
        var all: [Value] = []
        for term in terms.isEmpty ? [first] : terms {
            var settings = options
            for (key, value) in term.dict ?? Dict() { settings[key] = value }
            for part in (term.text ?? "").split(separator: " ") {
                let halves = part.split(separator: "=", maxSplits: 1).map(String.init)
                if halves.count == 2 {
                    settings[halves[0]] = .string(halves[1])
                } else {
                    try shortForm(String(part), into: &settings)
                }
            }
            all += try numbers(settings)
        }
        return all
    }

    private func shortForm(_ part: String, into settings: inout Dict) throws(TemplateError) {
        let halves = part.split(separator: ":", maxSplits: 1).map(String.init)
        if halves.count == 2 { settings["format"] = .string(halves[1]) }
        let stride = halves[0].split(separator: "/", maxSplits: 1).map(String.init)
        if stride.count == 2 { settings["stride"] = .string(stride[1]) }
        let range = stride[0].split(separator: "-", maxSplits: 1).map(String.init)
        settings["end"] = .string(range.last ?? "")
        if range.count == 2 { settings["start"] = .string(range[0]) }
    }

    private func numbers(_ settings: Dict) throws(TemplateError) -> [Value] {
        func number(_ name: String) throws(TemplateError) -> Int? {
            guard let value = settings[name] else { return nil }
            let text = value.pythonText
            let parsed = text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
            guard let parsed else { throw TemplateError("sequence: '\(name)' is '\(text)', expected a whole number") }
            return parsed
        }
        let start = try number("start") ?? 1
        var stride = try number("stride") ?? 1
        let count = try number("count")
        guard let end = try number("end") ?? count.map({ $0 == 0 ? start - stride : start + stride * ($0 - 1) }) else {
            throw TemplateError("sequence needs 'end' or 'count'")
        }
        if count == 0 { return [] }
        if settings["stride"] == nil, end < start { stride = 1 }
        guard stride != 0, abs((end - start) / stride) < 1_000_000 else {
            throw TemplateError("sequence from \(start) to \(end) by \(stride) has no end, or too many items")
        }
        let format = settings["format"]?.pythonText
        return Swift.stride(from: start, through: end, by: stride).map { number in
            .string(format.map { printed(number, as: $0) } ?? String(number))
        }
    }

    /// One `%d`, `%x`, `%o` with flags and width.
    private func printed(_ number: Int, as format: String) -> String {
        guard let percent = format.firstIndex(of: "%") else { return format }
        var rest = format[format.index(after: percent)...]
        var flags = ""
        while let flag = rest.first, "0-+ ".contains(flag) {
            flags.append(flag)
            rest.removeFirst()
        }
        var width = ""
        while let digit = rest.first, digit.isNumber { width.append(rest.removeFirst()) ; _ = digit }
        let kind = rest.isEmpty ? "d" : rest.removeFirst()
        var body =
            kind == "x" ? String(number, radix: 16) : kind == "X" ? String(number, radix: 16, uppercase: true)
            : kind == "o" ? String(number, radix: 8) : String(number)
        let fill = max(0, (Int(width) ?? 0) - body.count)
        if flags.contains("-") {
            body += String(repeating: " ", count: fill)
        } else {
            body = String(repeating: flags.contains("0") ? "0" : " ", count: fill) + body
        }
        return format[..<percent] + body + rest
    }

    private func variables(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        for term in terms {
            let name = term.pythonText
            guard let value = try scope.value(of: name) ?? options["default"] else {
                throw TemplateError(
                    "'\(name)' is undefined", hint: suggestion(for: name, among: scope.names), undefinedName: name)
            }
            values.append(try scope.run.templater.render(value, in: scope))
        }
        return values
    }

    /// Names of variables that a regular expression finds.
    private func variableNames(_ terms: [Value]) throws(TemplateError) -> [Value] {
        var found: [Value] = []
        let names = Set(scope.names).sorted()
        for term in terms {
            do throws(PatternError) {
                let pattern = try Pattern(term.pythonText)
                for name in names where try pattern.search(name) != nil { found.append(.string(name)) }
            } catch {
                throw TemplateError("'\(term.pythonText)' is no regular expression: \(error.description)")
            }
        }
        return found
    }

    private func templates(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        var texts: [Value] = []
        for term in terms {
            let name = term.pythonText
            guard let text = try scope.template(named: name) else {
                throw TemplateError("there is no template '\(name)'")
            }
            let overlay = scope.local
            for (key, value) in options["template_vars"]?.dict ?? Dict() { scope.local[key] = value }
            defer { scope.local = overlay }
            texts.append(.string(try scope.run.templater.renderFile(text, options: FileOptions(), in: scope)))
        }
        return texts
    }
}
