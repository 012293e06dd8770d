import Values
import YAML

extension Loader {
    private static let olderNames = [
        "sudo": "become", "su": "become", "sudo_user": "become_user", "su_user": "become_user",
    ]

    /// Keywords of the language's first years, which content still has, by what they are called now.
    func modern(_ entries: [Node.Entry]) -> [Node.Entry] {
        guard entries.contains(where: { $0.name.map { Self.olderNames[$0] != nil } ?? false }) else { return entries }
        let present = Set(entries.compactMap(\.name))
        var result: [Node.Entry] = []
        for entry in entries {
            guard let name = entry.name, let modern = Self.olderNames[name] else {
                result.append(entry)
                continue
            }
            warnOfOlder(entry.key, name, modern)
            // What is said by the name of today counts.
            if present.contains(modern) { continue }
            result.append(Node.Entry(key: entry.key.saying(modern), value: entry.value))
            if name == "su", !present.contains("become_method") {
                result.append(
                    Node.Entry(key: entry.key.saying("become_method"), value: entry.value.saying("su")))
            }
        }
        return result
    }

    private func warnOfOlder(_ key: Node, _ name: String, _ modern: String) {
        guard !toldOfOlder else { return }
        toldOfOlder = true
        report(
            key.diagnostic(
                "'\(name)' is the old name of '\(modern)'", hint: "write '\(modern)'",
                notes: ["it is taken; others of its kind in these playbooks are not told"], severity: .warning))
    }
}
