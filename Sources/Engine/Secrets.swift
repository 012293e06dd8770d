package import Values

/// Replaces known secrets in whatever leaves the engine.
///
/// Shorter secrets than four characters are left alone: masking them would garble everything and hide nothing.
package struct Masking: Sendable {
    private var secrets: Set<String> = []
    package static let mask = "********"

    package init() {}
    package var isEmpty: Bool { secrets.isEmpty }

    package mutating func learn(_ secret: String) {
        guard secret.utf8.count >= 4 else { return }
        secrets.insert(secret)
        // Secrets of several lines are printed line by line, and escaped in JSON.
        if secret.contains("\n") {
            for line in secret.split(separator: "\n") where line.utf8.count >= 8 { secrets.insert(String(line)) }
        }
    }

    package mutating func learn(from value: Value) {
        value.forEachText { if $0.isSecret { learn($0.string) } }
    }

    package func masked(_ string: String) -> String {
        var out = string
        for secret in secrets.sorted(by: { $0.utf8.count > $1.utf8.count }) where out.contains(secret) {
            out = out.split(separator: secret, omittingEmptySubsequences: false).joined(separator: Self.mask)
        }
        return out
    }

    package func masked(_ value: Value) -> Value {
        switch value {
        case .string(let text):
            if text.isSecret { return .string(Text(Self.mask)) }
            return .string(Text(masked(text.string), mark: text.mark))
        case .list(let list): return .list(list.map(masked))
        case .dict(let dict): return .dict(masked(dict))
        default: return value
        }
    }

    package func masked(_ dict: Dict) -> Dict {
        var out = Dict()
        for (key, value) in dict { out[masked(key)] = masked(value) }
        return out
    }

    package func masked(_ diagnostic: Diagnostic) -> Diagnostic {
        var out = diagnostic
        out.message = masked(out.message)
        out.hint = out.hint.map(masked)
        out.notes = out.notes.map(masked)
        return out
    }
}
