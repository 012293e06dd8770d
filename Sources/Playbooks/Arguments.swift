package import Modules
package import Values

/// Load-time checks of a task's arguments: names always, values where they are literal.
package enum ArgumentCheck {
    /// - Parameter defaults: what `module_defaults` has for the task.
    package static func diagnostics(
        _ entry: ModuleEntry, _ arguments: Dict, over defaults: [Value] = [], at place: Place
    ) -> [Diagnostic] {
        var found: [Diagnostic] = []
        let known = Set(entry.parameters.flatMap { [$0.name] + $0.aliases })
        var given: Set<String> = []
        var literal = Dict()
        for (key, value) in arguments where key.text != "_variable_params" {
            let name = key.pythonText
            let row = entry.parameters.first { $0.name == name || $0.aliases.contains(name) }
            if let row { given.insert(row.name) }
            if row == nil, !entry.options.acceptsAny {
                if name == "_raw_params", entry.options.freeForm == nil {
                    found.append(
                        Diagnostic(
                            "module '\(entry.name)' does not support raw params: '\(value.pythonText)'",
                            at: value.place ?? place,
                            notes: ["write parameters as key=value, or below the module as 'key: value'"]))
                } else if name != "_raw_params" {
                    var diagnostic = unknown(name, entry, known, key.place ?? value.place ?? place)
                    // It may be left out when the task runs, and then it does no harm.
                    if entry.options.hangsOnNode || mayBeOmitted(value) { diagnostic.severity = .warning }
                    found.append(diagnostic)
                }
            }
            if row != nil, !holdsTemplate(value) { literal[key] = value }
        }
        let isOpen = arguments["_variable_params"] != nil || defaults.contains { $0.dict == nil }
        for name in defaults.flatMap({ $0.dict?.names ?? [] }) {
            if let row = entry.parameters.first(where: { $0.name == name || $0.aliases.contains(name) }) {
                given.insert(row.name)
            }
        }
        let missing = entry.parameters.filter { $0.required && !given.contains($0.name) && !isOpen }
        for row in missing {
            let isFree = row.name == "_raw_params"
            found.append(
                Diagnostic(
                    isFree
                        ? "module '\(entry.name)' needs what it is to do"
                        : "module '\(entry.name)' needs parameter '\(row.name)'", at: place, length: entry.name.count,
                    hint: isFree && !row.choices.isEmpty ? "one of: \(row.choices.joined(separator: ", "))" : nil))
        }
        if missing.isEmpty, let error = entry.check(literal), let name = error.parameter, let value = literal[name],
            error.message.hasPrefix("parameter '")
        {
            let key = arguments.keys.first { $0.pythonText == name }
            found.append(wrong(entry, name, value, error.message, error.hint, at: value.place ?? key?.place ?? place))
        }
        return found
    }

    private static func wrong(
        _ entry: ModuleEntry, _ name: String, _ value: Value, _ message: String, _ hint: String?, at place: Place
    ) -> Diagnostic {
        let row = entry.parameters.first { $0.name == name || $0.aliases.contains(name) }
        let word = value.pythonText
        let near = suggestion(for: word, among: row?.choices ?? [])
        // The free text of a module has no name that anybody wrote.
        let message = name == "_raw_params"
            ? "module '\(entry.name)' has no '\(word)'" : message
        let isLine = value.text.map { !$0.contains("\n") } ?? false
        let choices = name == "_raw_params" ? row.map { "it has: \($0.choices.joined(separator: ", "))" } : nil
        return Diagnostic(message, at: place, length: isLine ? word.count : 1, hint: near ?? hint ?? choices)
    }

    private static func unknown(
        _ name: String, _ entry: ModuleEntry, _ known: Set<String>, _ place: Place
    ) -> Diagnostic {
        Diagnostic(
            "module '\(entry.name)' has no parameter '\(name)'", at: place, length: name.count,
            hint: suggestion(for: name, among: known)
                ?? "it has: " + entry.parameters.map(\.name).filter { !$0.hasPrefix("_") }.sorted().prefix(12)
                .joined(separator: ", "))
    }

    private static func mayBeOmitted(_ value: Value) -> Bool {
        guard case .string(let text) = value, text.isTemplate else { return false }
        return text.string.contains("omit")
    }

    static func holdsTemplate(_ value: Value) -> Bool {
        var found = false
        value.forEachText { found = found || $0.isTemplate }
        return found
    }
}
