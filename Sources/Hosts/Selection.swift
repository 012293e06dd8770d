import Patterns
package import Values

extension Inventory {
    /// The hosts that a pattern names, in Ansible's order, narrowed by `limit`; warnings for what matches nothing.
    ///
    /// Parts are joined by `,` or `:`; `&` in front of one intersects, `!` excludes; a part is a host, a group, a glob
    /// or `~` and a regular expression, and may end in a subscript (`web[0]`, `web[1:]`).
    package func select(
        _ pattern: String, limit: String? = nil
    ) throws(Diagnostics) -> (hosts: [String], warnings: [Diagnostic]) {
        do throws(Diagnostic) {
            var selection = Selection(inventory: self)
            var hosts = try selection.hosts(matching: Self.parts(of: pattern))
            if let limit {
                let allowed = Set(try selection.hosts(matching: Self.limitParts(limit)))
                hosts.removeAll { !allowed.contains($0) }
            }
            return (hosts, selection.warnings)
        } catch { throw Diagnostics([error]) }
    }

    /// The single parts of a pattern.
    static func parts(of pattern: String) -> [String] {
        let pieces: [String]
        if pattern.contains(",") {
            pieces = pattern.split(separator: ",").map(String.init)
        } else if parsedAddress(pattern, ranges: true) != nil {
            pieces = [pattern]
        } else {
            pieces = colonParts(pattern)
        }
        return pieces.map(trimmed).filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// Splits at colons and blanks that are not in brackets.
    private static func colonParts(_ pattern: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var rest = Substring(pattern)
        while let character = rest.first {
            if character == "[", let end = rest.firstIndex(of: "]") {
                part += rest[...end]
                rest = rest[rest.index(after: end)...]
                continue
            }
            if character == ":" || character.isWhitespace || character == "[" || character == "]" {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
            rest = rest.dropFirst()
        }
        return parts + [part]
    }

    private static func limitParts(_ limit: String) throws(Diagnostic) -> [String] {
        var parts: [String] = []
        for part in self.parts(of: limit) {
            guard part.hasPrefix("@") else {
                parts.append(part)
                continue
            }
            let path = Files.absolute(String(part.dropFirst()))
            switch Files.kind(path) {
            case nil:
                throw Diagnostic(
                    "the limit file '\(part.dropFirst())' does not exist", hint: "--limit @FILE reads hosts from it")
            case .folder?: throw Diagnostic("the limit file '\(part.dropFirst())' must be a file, and is a folder")
            case .file?: break
            }
            let text = try Files.text(path, name: String(part.dropFirst()))
            parts += text.split(separator: "\n").map(trimmed).filter { !$0.isEmpty }
        }
        return parts
    }
}

/// The evaluation of one pattern.
private struct Selection {
    let inventory: Inventory
    private(set) var warnings: [Diagnostic] = []

    init(inventory: Inventory) { self.inventory = inventory }

    mutating func hosts(matching parts: [String]) throws(Diagnostic) -> [String] {
        let excluding = parts.filter { $0.hasPrefix("!") }
        let intersecting = parts.filter { $0.hasPrefix("&") }
        var plain = parts.filter { !$0.hasPrefix("!") && !$0.hasPrefix("&") }
        if plain.isEmpty { plain = ["all"] }
        var hosts: OrderedSet<String> = []
        for part in plain {
            if inventory.graph.hostIDs[part] != nil { hosts.append(part) } else { hosts.formUnion(try match(part)) }
        }
        for part in intersecting { hosts.formIntersection(try match(String(part.dropFirst()))) }
        for part in excluding { hosts.subtract(try match(String(part.dropFirst()))) }
        return Array(hosts)
    }

    private mutating func match(_ part: String) throws(Diagnostic) -> [String] {
        guard !part.isEmpty else { return [] }
        let (expression, subscription) = Self.splitSubscript(part)
        let found = try matches(expression)
        guard let subscription, !found.isEmpty else { return found }
        switch subscription {
        case .index(let index):
            let at = index < 0 ? found.count + index : index
            guard found.indices.contains(at) else {
                throw Diagnostic(
                    "the pattern '\(part)' names no host", hint: "'\(expression)' has \(found.count) hosts, from [0]")
            }
            return [found[at]]
        case .range(let start, let end):
            let last = min(end ?? found.count - 1, found.count - 1)
            return start <= last ? Array(found[start...last]) : []
        }
    }

    private enum Subscript {
        case index(Int)
        case range(Int, Int?)
    }

    private static func splitSubscript(_ part: String) -> (String, Subscript?) {
        guard part.hasSuffix("]"), !part.hasPrefix("~"), let open = part.lastIndex(of: "["), open > part.startIndex
        else { return (part, nil) }
        let name = String(part[..<open])
        let inside = part[part.index(after: open)...].dropLast()
        func isNumber(_ text: Substring) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
        if isNumber(inside.hasPrefix("-") ? inside.dropFirst() : inside), let index = Int(inside) {
            return (name, .index(index))
        }
        guard let separator = inside.firstIndex(where: { $0 == ":" || $0 == "-" }) else { return (part, nil) }
        let first = inside[..<separator]
        let last = inside[inside.index(after: separator)...]
        guard isNumber(first), last.isEmpty || isNumber(last), let start = Int(first) else { return (part, nil) }
        let end = Int(last)
        // As in Ansible, an end of 0 is none: the one host at the start.
        return (name, end == 0 ? .index(start) : .range(start, end))
    }

    /// Hosts of the groups that match, then hosts that match themselves.
    private mutating func matches(_ expression: String) throws(Diagnostic) -> [String] {
        let graph = inventory.graph
        let isPattern = expression.hasPrefix("~") || expression.contains { "*?[".contains($0) }
        var found: OrderedSet<String> = []
        var groupMatched = false
        if isPattern {
            let pattern = try compiled(expression)
            func fits(_ name: String) throws(Diagnostic) -> Bool {
                do { return try pattern.match(name) != nil } catch { throw invalid(expression, error) }
            }
            for group in graph.groups where try fits(group.name) {
                groupMatched = true
                found.formUnion(group.allHosts.map { graph.hosts[$0].name })
            }
            for host in graph.hosts where try fits(host.name) { found.append(host.name) }
        } else {
            if let group = graph.groupIDs[expression] {
                groupMatched = true
                found.formUnion(graph.groups[group].allHosts.map { graph.hosts[$0].name })
            }
            if !groupMatched || expression.contains("."), graph.hostIDs[expression] != nil { found.append(expression) }
        }
        if found.isEmpty, Graph.localNames.contains(expression) {
            // This machine under the name that the inventory has for it, or made up.
            return [graph.hosts.first { Graph.localNames.contains($0.name) }?.name ?? expression]
        }
        if found.isEmpty, !groupMatched, expression != "all" {
            let names = graph.groups.map(\.name) + graph.hosts.map(\.name)
            warnings.append(
                Diagnostic(
                    "Could not match supplied host pattern, ignoring: \(expression)",
                    hint: suggestion(for: expression, among: names), severity: .warning))
        }
        return Array(found)
    }

    private func compiled(_ expression: String) throws(Diagnostic) -> Pattern {
        do {
            return try expression.hasPrefix("~")
                ? Pattern(String(expression.dropFirst())) : Pattern(glob: expression)
        } catch { throw invalid(expression, error) }
    }

    private func invalid(_ expression: String, _ error: PatternError) -> Diagnostic {
        Diagnostic("the host pattern '\(expression)' is not valid: \(error)")
    }
}
