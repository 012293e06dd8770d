import Values
import YAML

/// Reads an inventory in INI form: sections `[group]`, `[group:vars]`, `[group:children]`, hosts with `key=value`.
struct INISource {
    private enum Section { case hosts, variables, children }

    /// A group that was named before it was declared.
    private struct Pending {
        let section: Section
        let place: Place
        var parents: [Int] = []
    }

    private let source: InventorySource
    private let text: SourceText
    private var graph: Graph
    private var group = Graph.ungrouped
    private var section = Section.hosts
    private var pending: [(name: String, declaration: Pending)] = []
    private var line = 0
    /// Bytes of blanks before the line's text.
    private var indent = 0

    private init(_ text: SourceText, _ source: InventorySource, _ graph: Graph) {
        self.text = text
        self.source = source
        self.graph = graph
    }

    static func read(
        _ text: SourceText, _ source: InventorySource, into graph: inout Graph
    ) throws(Diagnostic) {
        var reader = INISource(text, source, graph)
        for line in text.text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false) {
            reader.line += 1
            try reader.readLine(ArraySlice(Array(line)))
        }
        if let (name, declaration) = reader.pending.first {
            throw Diagnostic(
                declaration.section == .variables
                    ? "variables for the group '\(name)', which is declared nowhere"
                    : "the child group '\(name)' is declared nowhere",
                at: declaration.place, length: name.count,
                hint: suggestion(for: name, among: reader.graph.groupIDs.keys.filter { $0 != name })
                    ?? "add a section [\(name)]")
        }
        graph = reader.graph
    }

    private func place(_ offset: Int = 0) -> Place { Place(file: text.file, line: line, column: indent + offset + 1) }

    private func error(_ message: String, at offset: Int = 0, length: Int = 1, hint: String? = nil) -> Diagnostic {
        Diagnostic(message, at: place(offset), length: max(1, length), hint: hint)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }

    private static func string(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private mutating func readLine(_ whole: ArraySlice<UInt8>) throws(Diagnostic) {
        let start = whole.firstIndex { !Self.isBlank($0) } ?? whole.endIndex
        let end = (whole.lastIndex { !Self.isBlank($0) } ?? start - 1) + 1
        guard start < end else { return }
        indent = start - whole.startIndex
        let line = whole[start..<end]
        switch line.first {
        case UInt8(ascii: "#"), UInt8(ascii: ";"): return
        case UInt8(ascii: "["):
            if let (name, kind) = Self.header(line) { return try open(name, kind) }
            if line.last == UInt8(ascii: "]") {
                throw error(
                    "'\(Self.string(line))' is not a section", length: line.count,
                    hint: "a section is [group], [group:vars] or [group:children], without blanks")
            }
        default: break
        }
        switch section {
        case .hosts: try readHost(line)
        case .variables: try readVariable(line)
        case .children: try readChild(line)
        }
    }

    /// `[name]` or `[name:kind]`, with a comment behind it.
    private static func header(_ line: ArraySlice<UInt8>) -> (name: String, kind: String?)? {
        guard let close = line.firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let rest = line[(close + 1)...].drop(while: isBlank)
        guard rest.isEmpty || rest.first == UInt8(ascii: "#") else { return nil }
        let inside = line[(line.startIndex + 1)..<close]
        let parts = inside.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard let name = parts.first, parts.count <= 2, !name.isEmpty, !inside.contains(where: isBlank) else {
            return nil
        }
        if parts.count == 2, parts[1].isEmpty { return nil }
        return (string(name), parts.count == 2 ? string(parts[1]) : nil)
    }

    private mutating func open(_ name: String, _ kind: String?) throws(Diagnostic) {
        switch kind {
        case nil, "hosts": section = .hosts
        case "vars": section = .variables
        case "children": section = .children
        case .some(let kind):
            throw error(
                "a section of the kind ':\(kind)'", at: 2 + name.utf8.count, length: kind.count,
                hint: suggestion(for: kind, among: ["vars", "children", "hosts"])
                    ?? "there are ':vars' and ':children'")
        }
        let known = graph.groupIDs[name] != nil
        let at = pending.firstIndex { $0.name == name }
        if !known, section == .variables, at == nil {
            pending.append((name, Pending(section: .variables, place: place(1))))
        }
        group = graph.addGroup(name)
        if section != .variables, let at {
            let declaration = pending.remove(at: at).declaration
            for parent in declaration.parents { try add(group, to: parent, at: declaration.place) }
        }
    }

    private mutating func add(_ child: Int, to parent: Int, at place: Place) throws(Diagnostic) {
        if graph.put(group: child, into: parent) == nil {
            throw Diagnostic(
                "the group '\(graph.groups[child].name)' would be inside of itself", at: place,
                length: graph.groups[child].name.count,
                hint: "'\(graph.groups[parent].name)' is below it already")
        }
    }

    private mutating func readHost(_ line: ArraySlice<UInt8>) throws(Diagnostic) {
        let words: [Word]
        do { words = try Hosts.words(line) } catch { throw self.error(error.message, at: error.start) }
        guard let first = words.first else { return }
        let pattern = Self.string(first.text)
        let (names, port) = try hosts(pattern, first)
        var variables: [(Value, Value)] = []
        for word in words.dropFirst() {
            guard let equals = word.text.firstIndex(of: UInt8(ascii: "=")) else {
                throw error(
                    "'\(Self.string(word.text))' is not a variable", at: word.start, length: word.text.count,
                    hint: "behind a host's name come key=value pairs; one host a line")
            }
            let key = Self.string(word.text[..<equals])
            variables.append((.string(key), value(word.text[(equals + 1)...], at: word.start + equals + 1)))
        }
        for name in names {
            let host = graph.addHost(name, port: port, source: source)
            graph.put(host: host, into: group)
            for (key, value) in variables { graph.set(key, value, ofHost: host) }
        }
    }

    private func hosts(_ pattern: String, _ word: Word) throws(Diagnostic) -> (names: [String], port: Int?) {
        let (name, port) = parsedAddress(pattern, ranges: true) ?? (pattern, nil)
        if port == nil, pattern.hasSuffix(":") {
            throw error(
                "the host name '\(pattern)' ends in ':'", at: word.start, length: word.text.count,
                hint: "a port goes behind it; a file that is YAML needs the ending .yml")
        }
        if pattern == "---" {
            throw error("'---' begins YAML, and this is read as INI", hint: "give the file the ending .yml")
        }
        do { return (try expandedRanges(name), port) } catch {
            throw self.error(error.message, at: word.start, length: word.text.count)
        }
    }

    private mutating func readVariable(_ line: ArraySlice<UInt8>) throws(Diagnostic) {
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
            throw error("'\(Self.string(line))' is not a variable", length: line.count, hint: "write key=value")
        }
        let key = line[..<equals].reversed().drop(while: Self.isBlank).reversed()
        let rest = line[(equals + 1)...].drop(while: Self.isBlank)
        let value = value(rest, at: rest.startIndex - line.startIndex)
        graph.set(.string(Self.string(Array(key))), value, ofGroup: group)
    }

    private func value(_ bytes: ArraySlice<UInt8>, at offset: Int) -> Value {
        let value = pythonLiteral(bytes) ?? .string(Self.string(bytes))
        let place = place(offset)
        return text.marked(
            value.mapText { Text($0.string, mark: Mark(place: place, isTemplate: $0.string.hasTemplateSyntax)) })
    }

    private mutating func readChild(_ line: ArraySlice<UInt8>) throws(Diagnostic) {
        let end = line.firstIndex { Self.isBlank($0) } ?? line.endIndex
        let rest = line[end...].drop(while: Self.isBlank)
        let name = Self.string(line[..<end])
        guard !name.contains(":"), !name.contains("]"), rest.isEmpty || rest.first == UInt8(ascii: "#") else {
            throw error(
                "'\(Self.string(line))' is not the name of a group", length: line.count,
                hint: "':children' sections hold one group's name a line")
        }
        if let at = pending.firstIndex(where: { $0.name == name }) {
            pending[at].declaration.parents.append(group)
        } else if let child = graph.groupIDs[name] {
            try add(child, to: group, at: place())
        } else {
            pending.append((name, Pending(section: .children, place: place(), parents: [group])))
        }
    }
}
