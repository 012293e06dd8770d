import Values

/// What `set_stats` collected, for the end of a run.
struct CustomStats {
    private(set) var hosts: [(host: String, values: Dict)] = []
    private(set) var run = Dict()
    var isEmpty: Bool { hosts.isEmpty && run.isEmpty }

    mutating func collect(_ host: String, _ values: Dict, perHost: Bool, aggregate: Bool) {
        func added(_ old: Value?, _ new: Value) -> Value {
            guard aggregate, let old else { return new }
            switch (old, new) {
            case (.int(let a), .int(let b)): return .int(a &+ b)
            case (.list(let a), .list(let b)): return .list(a + b)
            case (.string(let a), .string(let b)): return .string(a.string + b.string)
            case (.dict(let a), .dict(let b)): return .dict(a.merging(b) { $1 })
            default: return new
            }
        }
        if perHost {
            var known = hosts.first { $0.host == host }?.values ?? Dict()
            for (key, value) in values { known[key] = added(known[key], value) }
            hosts.removeAll { $0.host == host }
            hosts.append((host, known))
        } else {
            for (key, value) in values { run[key] = added(run[key], value) }
        }
    }

    func show(on terminal: Terminal, _ text: ResultText) {
        guard !isEmpty else { return }
        terminal.banner("CUSTOM STATS: ")
        for (host, values) in hosts.sorted(by: { $0.host < $1.host }) {
            terminal.line("\t\(host): \(flat(values, text))")
        }
        if !run.isEmpty {
            terminal.line("", logged: "")
            terminal.line("\tRUN: \(flat(run, text))")
        }
        terminal.line("", logged: "")
    }

    private func flat(_ values: Dict, _ text: ResultText) -> String {
        text.dump(values, action: "set_stats", indent: 1).split(separator: "\n", omittingEmptySubsequences: false)
            .joined()
    }
}
