import Templates
import Values
import Wire

extension TaskRun {
    /// How much of a value is shown.
    private static let limit = 120

    /// What the variable holds that stands where an expression went wrong: `'item' is {'name': 'web'}`.
    ///
    /// Nothing where the value, or anything in it, is secret, or its name says so, or the task hides what it does.
    func valueNote(_ diagnostic: Diagnostic) -> String? {
        guard !((try? flag("no_log")) ?? true), let name = name(at: diagnostic), !Self.soundsSecret(name) else {
            return nil
        }
        guard let value = (try? scope.value(of: name)) ?? nil, !value.isNull, !value.holdsSecretText,
            !holdsSecretName(value)
        else { return nil }
        // Templates are not rendered for this: lookups may do something.
        var isWritten = true
        value.forEachText { if $0.isTemplate || $0.isSealed { isWritten = false } }
        guard isWritten else { return nil }
        var shown = value.pythonRepr
        guard run.masking.masked(shown) == shown else { return nil }
        if shown.count > Self.limit { shown = shown.prefix(Self.limit) + "…" }
        return "'\(name)' is \(shown)"
    }

    /// The name of the variable that the mark of the error stands at.
    private func name(at diagnostic: Diagnostic) -> String? {
        guard let place = diagnostic.place, let text = place.file.text, place.line > 0, place.column > 0 else {
            return nil
        }
        let (line, column) = (Int(place.line), Int(place.column))
        let lines = text.split(separator: "\n", maxSplits: line, omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return nil }
        let rest = lines[line - 1].dropFirst(column - 1)
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard let first = name.first, !first.isNumber else { return nil }
        return String(name)
    }

    private func holdsSecretName(_ value: Value) -> Bool {
        switch value {
        case .dict(let dict): dict.contains { Self.soundsSecret($0.key.pythonText) || holdsSecretName($0.value) }
        case .list(let list): list.contains(where: holdsSecretName)
        default: false
        }
    }

    private static func soundsSecret(_ name: String) -> Bool {
        let lower = name.lowercased()
        return ["pass", "secret", "token", "key", "credential", "private"].contains(where: lower.contains)
    }
}
