import Patterns
package import Templates
import Values
import Wire

/// Lookup plugins. Those over values are computed here; those that read the controller ask it.
package struct Lookup {
    private let name: String
    private let written: String
    private let scope: TaskScope

    init(_ plugin: String, scope: TaskScope) {
        written = plugin
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
        case "list":
            for case let absent? in terms.map(AbsentValue.init) {
                throw TemplateError(absent.message, undefinedName: "")
            }
            return terms
        case "dict": return try dict(terms)
        case "nested", "cartesian":
            if terms.isEmpty {
                throw TemplateError("with_nested requires at least one element in the nested list")
            }
            return product(terms.map { $0.list ?? [$0] })
        case "together":
            if terms.isEmpty { throw TemplateError("with_together requires at least one element in each list") }
            return together(terms.map { $0.list ?? [$0] })
        case "indexed_items":
            return flattened(terms, levels: 1).enumerated().map { .list([.int($0.offset), $0.element]) }
        case "subelements": return try subelements(terms)
        case "sequence": return try SequenceLookup.items(terms, options, scope)
        case "random_choice": return terms.isEmpty ? [] : [terms[Int.random(in: 0..<terms.count)]]
        case "vars": return try variables(terms, options)
        case "varnames": return try variableNames(terms)
        case "template": return try templates(terms, options)
        case "env": return try environment(terms, options)
        case "ini", "csvfile", "password":
            var all: [Value] = []
            for term in try LookupTerm.of(name, terms, options) { all += try ask([.string(term.key)], term.options) }
            return all
        case "inventory_hostnames", "file", "fileglob", "first_found", "pipe", "url", "lines", "config", "unvault":
            return try ask(terms, options)
        default: return try foreign(written, terms, options, scope)
        }
    }

    /// Those that playbooks can name.
    package static let names = summaries.map(\.name)

    package static let summaries = FunctionSummary.rows(
        """
        config | What a setting is, by its name.
        csvfile | A column of a row of a CSV file of the controller, by the row's first column.
        dict | The entries of mappings, each with key and value.
        env | A variable of the controller's environment.
        file | What is in a file of the controller.
        fileglob | The files of the controller that patterns match.
        first_found | The first of several paths that there is.
        indexed_items | The items with their places.
        ini | A value of an INI or properties file of the controller.
        inventory_hostnames | The hosts that a pattern matches.
        items | The items of lists, one level deep.
        lines | The lines that a command prints on the controller.
        list | The terms as they are.
        nested | All lists with one item of each list.
        password | A random password that a file of the controller keeps.
        pipe | What a command prints on the controller.
        random_choice | One of the items, by chance.
        sequence | Numbers from a beginning to an end, in a format.
        subelements | Each item with each member of a list in it.
        template | What a template of the controller gives.
        together | Lists of items that stand at the same place of several lists.
        unvault | What is in a vaulted file of the controller.
        url | What a web server answers the controller.
        varnames | The names of variables that regular expressions match.
        vars | Variables by their names.
        [community.general]
        cartesian | All lists with one item of each list.
        flattened | The items of lists, however deep.
        """)

    /// Their reference page.
    package static var page: String { FunctionSummary.page("Lookups", summaries) { "lookup('\($0)', …)" } }

    /// A fallback may have no value; what a plugin in Python makes of it is its own matter.
    var acceptsUndefined: Bool { name == "env" || name == "list" || !Self.names.contains(name) }

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
        for term in terms {
            guard let dict = term.dict else {
                throw TemplateError(
                    "the 'dict' lookup plugin expects a dictionary, got '\(term.pythonText)' of type "
                        + "<class '\(term.typeName)'>)")
            }
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
        func wrong(_ what: String) -> TemplateError {
            TemplateError("subelements lookup expects a list of two or three items, " + what)
        }
        guard (2...3).contains(terms.count), terms[0].list != nil || terms[0].dict != nil, let key = terms[1].text
        else {
            throw wrong("first a dict or a list, second a string pointing to the subkey")
        }
        let flags = terms.count > 2 ? terms[2].dict : [:]
        guard let flags, flags.allSatisfy({ $0.key.text == "skip_missing" }) else {
            throw wrong("the optional third item must be a dict with flags skip_missing")
        }
        let skipsMissing = flags["skip_missing"]?.isTrue ?? false
        // A result that was skipped as a whole.
        if let skipped = terms[0]["skipped"], skipped != false { return [] }
        let path = key.split(separator: ".").map(String.init)
        var pairs: [Value] = []
        for element in terms[0].list ?? terms[0].dict.map({ Array($0.values) }) ?? [] {
            guard let fields = element.dict else {
                throw TemplateError("subelements lookup expects a dictionary, got '\(element.pythonText)'")
            }
            if fields["skipped"]?.isTrue ?? false { continue }
            guard let list = try list(at: path, in: element, skipsMissing) else { continue }
            // The element stands beside it without its list, as with Ansible.
            let rest = without(path: path[...], element)
            pairs += list.map { .list([rest, $0]) }
        }
        return pairs
    }

    private func list(
        at path: [String], in element: Value, _ skipsMissing: Bool
    ) throws(TemplateError) -> [Value]? {
        var inner = element
        for (index, part) in path.enumerated() {
            guard let next = inner[part] else {
                if skipsMissing { return nil }
                throw TemplateError("could not find '\(part)' key in iterated item '\(inner.pythonText)'")
            }
            inner = next
            if index < path.count - 1, inner.dict == nil {
                if skipsMissing { return nil }
                throw TemplateError("the key \(part) should point to a dictionary, got '\(inner.pythonText)'")
            }
        }
        guard let list = inner.list else {
            throw TemplateError("the key \(path.last ?? "") should point to a list, got '\(inner.pythonText)'")
        }
        return list
    }

    private func without(path: ArraySlice<String>, _ value: Value) -> Value {
        guard let first = path.first, var dict = value.dict else { return value }
        dict[first] = path.count == 1 ? nil : dict[first].map { without(path: path.dropFirst(), $0) }
        return .dict(dict)
    }

    /// One variable of the controller's environment for each term; `default` for those that are not set.
    private func environment(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        for term in terms {
            guard AbsentValue(term) == nil else {
                values.append(term)
                continue
            }
            let name = term.pythonText.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
            let source = Place(file: SourceFile(name: "<environment variable '\(name)'>"), line: 0, column: 0)
            for value in try ask([.string(name)], options) {
                if AbsentValue(value)?.message == AbsentValue.unset {
                    let message = "The environment variable '\(name)' is not set."
                    values.append(AbsentValue(index: nil, message: message).value)
                } else if case .string(let text) = value, AbsentValue(value) == nil {
                    values.append(.string(Text(text.string, mark: Mark(place: source, isDeclaredUnsafe: true))))
                } else {
                    values.append(value)
                }
            }
        }
        return values
    }

    private func variables(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        for term in terms {
            guard let name = term.text else {
                throw TemplateError("Variable name must be 'str' not '\(term.typeName)'.")
            }
            guard let value = try scope.value(of: name) ?? options["default"] else {
                throw TemplateError(
                    "No variable named '\(name)' was found.", hint: suggestion(for: name, among: scope.names),
                    undefinedName: name)
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
            guard let text = term.text else {
                throw TemplateError(
                    "Invalid setting identifier, \"\(term.pythonText)\" is not a string, it is a "
                        + "<class '\(term.typeName)'>")
            }
            do throws(PatternError) {
                let pattern = try Pattern(text)
                for name in names where try pattern.search(name) != nil { found.append(.string(name)) }
            } catch {
                throw TemplateError("Unable to use \"\(text)\" as a search parameter: \(error.description)")
            }
        }
        return found
    }

    private func templates(_ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        var texts: [Value] = []
        var form = FileOptions()
        form.variableStart = options["variable_start_string"]?.text ?? form.variableStart
        form.variableEnd = options["variable_end_string"]?.text ?? form.variableEnd
        form.commentStart = options["comment_start_string"]?.text ?? form.commentStart
        form.commentEnd = options["comment_end_string"]?.text ?? form.commentEnd
        form.trimBlocks = options["trim_blocks"]?.asBool ?? form.trimBlocks
        for term in terms {
            let name = term.pythonText
            guard let entry = try scope.file(named: name, .templates) else {
                throw TemplateError("the template file \(name) could not be found for the lookup")
            }
            let text = try scope.text(of: entry)
            let variables = options["template_vars"]?.dict ?? Dict()
            texts.append(
                try scope.rendering(entry, looksBesideFirst: true, with: variables) { () throws(TemplateError) in
                    try scope.run.templater.renderLookup(text, options: form, in: scope)
                })
        }
        return texts
    }
}
