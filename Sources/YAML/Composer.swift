import Values

/// Builds nodes from events: resolves scalars, replaces aliases, merges `<<`, finds duplicate keys.
struct Composer: ~Copyable {
    private static let depthLimit = 256
    /// Nodes that aliases may add to a document, however they are nested: a bound on "billion laughs".
    private static let aliasLimit = 1_000_000

    private var parser: EventParser
    private let text: String
    private let file: SourceFile
    /// An anchor's node and how many nodes are in it; `nil` while it is being read.
    private var anchors: [String: (node: Node, weight: Int)?] = [:]
    private var weight = 0
    private var aliased = 0
    private var depth = 0
    private lazy var lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
    private(set) var warnings: [Diagnostic] = []

    init(parser: consuming EventParser, text: String, file: SourceFile) {
        self.parser = parser
        self.text = text
        self.file = file
    }

    private mutating func next() throws(Diagnostic) -> Event {
        do { return try parser.next() } catch { throw diagnostic(for: error, in: text, file) }
    }

    mutating func documents() throws(Diagnostic) -> [Node] {
        var nodes: [Node] = []
        while true {
            let event = try next()
            switch event.kind {
            case .streamEnd: return nodes
            case .documentStart:
                anchors = [:]
                aliased = 0
                nodes.append(try node(try next()))
            default: break
            }
        }
    }

    private func place(_ position: Position) -> Place {
        Place(file: file, line: position.line + 1, column: position.column + 1)
    }

    private func error(_ message: String, _ event: Event, hint: String? = nil) -> Diagnostic {
        Diagnostic(message, at: place(event.start), length: Self.length(event), hint: hint)
    }

    private static func length(_ event: Event) -> Int {
        event.start.line == event.end.line ? max(1, event.end.column - event.start.column) : 1
    }

    private mutating func node(_ event: Event) throws(Diagnostic) -> Node {
        if case .alias = event.kind { return try alias(event) }
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthLimit { throw error("more than \(Self.depthLimit) levels of nesting", event) }
        if let anchor = event.anchor { anchors[anchor] = .some(nil) }
        let before = weight
        weight += 1
        let node: Node
        switch event.kind {
        case .sequenceStart: node = try sequence(event)
        case .mappingStart: node = try mapping(event)
        case .scalar(let scalar): node = try self.scalar(scalar, event)
        default: throw error("a value was expected", event)
        }
        if let anchor = event.anchor { anchors[anchor] = (node, weight - before) }
        return node
    }

    private mutating func alias(_ event: Event) throws(Diagnostic) -> Node {
        let name = event.anchor ?? ""
        guard let anchor = anchors[name] else {
            throw error(
                "the alias '*\(name)' has no anchor '&\(name)' before it", event,
                hint: suggestion(for: name, among: anchors.keys)
                    ?? "quote the value if it should begin with an asterisk")
        }
        guard let (node, size) = anchor else {
            throw error("the alias '*\(name)' is inside of what it stands for", event)
        }
        aliased += size
        weight += size
        if aliased > Self.aliasLimit {
            throw error(
                "aliases make more than \(Self.aliasLimit) values", event,
                hint: "aliases of aliases multiply; write fewer of them")
        }
        return node
    }

    private mutating func sequence(_ event: Event) throws(Diagnostic) -> Node {
        let tag = try collectionTag(event, "seq", ["!!omap", "!!pairs"])
        var items: [Node] = []
        while true {
            let child = try next()
            if case .sequenceEnd = child.kind { break }
            items.append(try node(child))
        }
        return Node(content: .sequence(items), place: place(event.start), length: 1, tag: tag)
    }

    private mutating func mapping(_ event: Event) throws(Diagnostic) -> Node {
        let tag = try collectionTag(event, "map", ["!!set"])
        var own: [Node.Entry] = []
        var merged: [Node.Entry] = []
        while true {
            let child = try next()
            if case .mappingEnd = child.kind { break }
            let key = try self.key(child)
            let value = try node(try next())
            if case .scalar(let scalar) = child.kind, scalar.style == .plain, scalar.text == "<<", child.tag == nil {
                merged += try mergedEntries(value)
            } else {
                own.append(Node.Entry(key: key, value: value))
            }
        }
        return Node(
            content: .mapping(unique(own, merged)), place: place(event.start), length: 1, tag: tag)
    }

    private mutating func key(_ event: Event) throws(Diagnostic) -> Node {
        let key = try node(event)
        if case .scalar = key.content { return key }
        if key.entries != nil, isTemplateStart(event.start) {
            throw Diagnostic(
                "an unquoted template", at: place(Position(line: event.start.line, column: event.start.column - 1)),
                length: 2, hint: "quote a value that begins with a template: \"{{ … }}\"")
        }
        throw Diagnostic("a \(key.kindName) cannot be a key", at: key.place)
    }

    private mutating func isTemplateStart(_ position: Position) -> Bool {
        guard lines.indices.contains(position.line), position.column > 0 else { return false }
        let line = String(Substring(lines[position.line]))
        return line.unicodeScalars.dropFirst(position.column - 1).starts(with: "{{".unicodeScalars)
    }

    /// What `<<` adds: a mapping's entries, or those of several mappings, the earlier ones winning.
    private func mergedEntries(_ node: Node) throws(Diagnostic) -> [Node.Entry] {
        switch node.content {
        case .mapping(let entries): return entries
        case .sequence(let items):
            var all: [Node.Entry] = []
            for item in items.reversed() {
                guard case .mapping(let entries) = item.content else { throw notMergeable(item) }
                all += entries
            }
            return all
        default: throw notMergeable(node)
        }
    }

    private func notMergeable(_ node: Node) -> Diagnostic {
        node.diagnostic("'<<' merges a mapping or a list of mappings, not a \(node.kindName)")
    }

    /// The entries with a key only once: the last value, at the place of the first, as Python's dict has it.
    private mutating func unique(_ own: [Node.Entry], _ merged: [Node.Entry]) -> [Node.Entry] {
        var entries: [Node.Entry] = []
        entries.reserveCapacity(own.count + merged.count)
        var index: [Value: Int] = [:]
        index.reserveCapacity(own.count + merged.count)
        for entry in merged { Self.put(entry, in: &entries, &index) }
        let borrowed = entries.count
        var seen = borrowed == 0 ? [] : Array(repeating: false, count: borrowed)
        for entry in own {
            guard let at = Self.put(entry, in: &entries, &index) else { continue }
            if at < borrowed, !seen[at] { seen[at] = true } else { warnDuplicate(entry, first: entries[at].key) }
            entries[at] = Node.Entry(key: entries[at].key, value: entry.value)
        }
        return entries
    }

    /// Appends the entry; or, for a key that is there, replaces the value of merged entries and returns the index.
    @discardableResult
    private static func put(
        _ entry: Node.Entry, in entries: inout [Node.Entry], _ index: inout [Value: Int]
    ) -> Int? {
        let key = entry.key.scalar ?? .null
        if let at = index[key] {
            entries[at] = Node.Entry(key: entries[at].key, value: entry.value)
            return at
        }
        index[key] = entries.count
        entries.append(entry)
        return nil
    }

    private mutating func warnDuplicate(_ entry: Node.Entry, first: Node) {
        let name = entry.key.scalar?.pythonText ?? ""
        warnings.append(
            entry.key.diagnostic(
                "Found duplicate mapping key '\(name)'", hint: "the last value wins",
                notes: ["first defined at \(first.place)"], severity: .warning))
    }
}

// MARK: Scalars and tags

extension Composer {
    private static let standard = "tag:yaml.org,2002:"

    private mutating func scalar(_ scalar: Event.Scalar, _ event: Event) throws(Diagnostic) -> Node {
        var tag: String?
        var value: Value
        switch event.tag {
        case nil, "!": value = scalar.style == .plain ? resolvedScalar(scalar.text) : .string(Text(scalar.text))
        case "!unsafe", "!vault", "!vault-encrypted":
            // As in Ansible, the text under its tags is resolved as if it were plain.
            tag = event.tag == "!unsafe" ? "!unsafe" : "!vault"
            value = resolvedScalar(scalar.text)
            if tag == "!vault", value.text == nil { throw error("!vault needs encrypted text", event) }
        case .some(let given):
            guard given.hasPrefix(Self.standard) else { throw unknown(given, event) }
            let kind = String(given.dropFirst(Self.standard.count))
            guard let typed = YAML.scalar(scalar.text, taggedAs: kind) else {
                let known = ["str", "null", "bool", "int", "float", "timestamp", "binary"].contains(kind)
                throw known ? error("'\(scalar.text)' is not a valid !!\(kind)", event) : unknown("!!" + kind, event)
            }
            value = typed
        }
        if case .string(let text) = value {
            value = .string(Text(text.string, mark: Mark(place: contentPlace(scalar, event), moment: text.moment)))
        }
        return Node(
            content: .scalar(value), place: place(event.start), length: Self.length(event), tag: tag)
    }

    /// Where the first character of the string stands, so that an error in it can be located.
    private mutating func contentPlace(_ scalar: Event.Scalar, _ event: Event) -> Place {
        if event.tag != nil || event.anchor != nil, scalar.style != .block { return place(event.start) }
        switch scalar.style {
        case .plain: return place(event.start)
        case .quoted: return place(Position(line: event.start.line, column: event.start.column + 1))
        case .block:
            var line = event.start.line + 1
            while lines.indices.contains(line), lines[line].allSatisfy({ $0 == 0x20 || $0 == 0x0d }) { line += 1 }
            let indent = lines.indices.contains(line) ? lines[line].prefix { $0 == 0x20 }.count : 0
            return place(Position(line: event.start.line + 1, column: indent))
        }
    }

    private func collectionTag(_ event: Event, _ own: String, _ others: [String]) throws(Diagnostic) -> String? {
        guard let given = event.tag, given != "!" else { return nil }
        if given == "!unsafe" { return given }
        guard given.hasPrefix(Self.standard) else {
            if given == "!vault" || given == "!vault-encrypted" { throw error("!vault needs encrypted text", event) }
            throw unknown(given, event)
        }
        let kind = String(given.dropFirst(Self.standard.count))
        if kind == own || (own == "map" && kind == "python/dict") { return nil }
        if others.contains("!!" + kind) { return "!!" + kind }
        throw unknown("!!" + kind, event)
    }

    private func unknown(_ tag: String, _ event: Event) -> Diagnostic {
        let known = [
            "!vault", "!unsafe", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map", "!!set",
            "!!binary", "!!timestamp",
        ]
        return Diagnostic(
            "unknown tag '\(tag)'", at: place(event.start), length: tag.count,
            hint: suggestion(for: tag, among: known) ?? "quote the value if it should begin with '!'")
    }
}
