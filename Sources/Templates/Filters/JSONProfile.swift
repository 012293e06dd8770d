import Values
import YAML

/// What JSON says beside itself: Ansible's forms of values that are not to be evaluated or are encrypted.
enum JSONProfile: String, CaseIterable {
    case tagless
    case legacy
    case inventory = "inventory_legacy"
    /// Everything stays what it is.
    case fallback = "fallback_to_str"

    init(_ name: String) throws(TemplateError) {
        if name.hasPrefix("module_") || name == "cache_persistence" {
            self = .fallback
            return
        }
        guard let known = JSONProfile(rawValue: name) else {
            throw TemplateError(
                "there is no JSON profile '\(name)'", hint: suggestion(for: name, among: Self.allCases.map(\.rawValue)),
                words: "Unknown profile name '\(name)'.")
        }
        self = known
    }

    /// - Parameter source: the text that was read; where its authors vouch for it, texts in it are templates.
    func decoded(_ value: Value, of source: Text) throws(TemplateError) -> Value {
        try decoded(value, source, [])
    }

    private func decoded(_ value: Value, _ source: Text, _ path: [String]) throws(TemplateError) -> Value {
        switch value {
        case .string(let text): return .string(trusts(source, path) ? text.vouchedFor(at: source.place) : text)
        case .list(let list):
            return .list(
                try list.mapThrowing { (item) throws(TemplateError) in try decoded(item, source, path + [""]) })
        case .dict(let dict):
            if self != .fallback, let found = try special(dict) { return found }
            var result = Dict(minimumCapacity: dict.count)
            for (key, item) in dict { result[key] = try decoded(item, source, path + [key.pythonText]) }
            return .dict(result)
        default: return value
        }
    }

    /// An inventory's variables are its authors' text; the names in it are not.
    private func trusts(_ source: Text, _ path: [String]) -> Bool {
        guard source.isVouchedFor else { return false }
        switch self {
        case .legacy: return true
        case .inventory:
            return (path.count >= 4 && path[0] == "_meta" && path[1] == "hostvars")
                || (path.count >= 3 && path[1] == "vars")
        case .tagless, .fallback: return false
        }
    }

    private func special(_ dict: Dict) throws(TemplateError) -> Value? {
        for name in ["__ansible_type", "__ansible_unsafe", "__ansible_vault"] {
            guard let inner = dict[name] else { continue }
            guard self != .tagless, name != "__ansible_type" else {
                let message = "Object of type '\(name)' is not JSON deserializable by the '\(rawValue)' profile."
                throw TemplateError("'\(name)' has no meaning in JSON of profile '\(rawValue)'", words: message)
            }
            guard let text = inner.text else {
                throw TemplateError("\(name) is <class '\(inner.typeName)'> not <class 'str'>")
            }
            return .string(
                name == "__ansible_unsafe" ? Text(text).unsafe : Text(text, mark: Mark(seal: .closed)))
        }
        return nil
    }
}

extension Text {
    /// Whether it is as good as its authors' own: what a playbook says so of.
    var isVouchedFor: Bool { isTemplate || (mark?.isVouchedFor ?? false) }

    func vouchedFor(at place: Place?) -> Text {
        Text(
            string,
            mark: Mark(
                place: place, isTemplate: string.hasTemplateSyntax, isSecret: isSecret, isVouchedFor: true))
    }
}
