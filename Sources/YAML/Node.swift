package import Values

/// A node of a YAML document, with its place.
package struct Node: Sendable {
    package enum Content: Sendable {
        case scalar(Value)
        case sequence([Node])
        case mapping([Entry])
    }

    package struct Entry: Sendable {
        package let key: Node
        package let value: Node

        package init(key: Node, value: Node) {
            self.key = key
            self.value = value
        }
    }

    /// Scalars are resolved, merge keys (`<<`) are merged, aliases are replaced, keys are unique.
    ///
    /// A string's mark has the place of its first character, behind the quote or the block indicator.
    package let content: Content
    /// Where the node begins, with its tag and anchor.
    package let place: Place
    /// How many characters it takes on its line; 1 for what spans lines.
    package let length: Int
    /// A tag that changes the meaning: `!vault`, `!unsafe`, `!!set`, `!!omap`, `!!pairs`.
    package let tag: String?

    /// The value under a string key; `nil` where this is not a mapping or has no such key.
    package subscript(_ key: String) -> Node? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key.text == key }?.value
    }

    /// The scalar, not decrypted.
    package var scalar: Value? { if case .scalar(let value) = content { value } else { nil } }
    /// The string, if this is one.
    package var text: String? { scalar?.text }
    package var items: [Node]? { if case .sequence(let items) = content { items } else { nil } }
    package var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
    package var isNull: Bool { scalar?.isNull ?? false }
    /// Null, at the same place.
    package var null: Node { Node(content: .scalar(.null), place: place, length: length, tag: nil) }

    /// A word in its place.
    package func saying(_ word: String) -> Node {
        Node(content: .scalar(.string(Text(word, mark: Mark(place: place)))), place: place, length: length, tag: nil)
    }

    /// What a person calls it: `string`, `list`, `mapping`, …
    package var kindName: String {
        switch content {
        case .sequence: "list"
        case .mapping: "mapping"
        case .scalar(let value):
            switch value {
            case .null: "nothing"
            case .bool: "boolean"
            case .int, .double: "number"
            default: "string"
            }
        }
    }

    /// An error or warning about this node, underlining it.
    package func diagnostic(
        _ message: String, hint: String? = nil, notes: [String] = [], severity: Diagnostic.Severity = .error
    ) -> Diagnostic {
        Diagnostic(message, at: place, length: length, hint: hint, notes: notes, severity: severity)
    }
}

/// How nodes become values.
package struct ValueOptions: Sendable {
    /// Whether the text was written by the playbook's authors, so that its strings may be templates.
    package var trusted: Bool
    /// Turns the text under `!vault` into its plain text. Without it such a value stays closed until it is read.
    package var decrypt: (@Sendable (Text) throws(Diagnostic) -> Text)?

    package init(trusted: Bool = true, decrypt: (@Sendable (Text) throws(Diagnostic) -> Text)? = nil) {
        self.trusted = trusted
        self.decrypt = decrypt
    }
}

extension Node {
    /// The plain value: each string with its place, marked as a template where it is trusted and holds template
    /// syntax, and as secret where it was vaulted.
    package func value(_ options: ValueOptions = ValueOptions()) throws(Diagnostic) -> Value {
        try value(options, trusted: options.trusted)
    }

    private func value(_ options: ValueOptions, trusted: Bool) throws(Diagnostic) -> Value {
        let trusted = trusted && tag != "!unsafe"
        switch content {
        case .scalar(.string(let text)):
            if tag == "!vault" { return .string(try decrypted(text, options)) }
            guard trusted else { return .string(tag == "!unsafe" || options.trusted ? text.unsafe : text) }
            guard text.string.hasTemplateSyntax else { return .string(text) }
            return .string(Text(text.string, mark: Mark(place: text.place, isTemplate: true)))
        case .scalar(let value): return value
        case .sequence(let items):
            var list: [Value] = []
            list.reserveCapacity(items.count)
            for item in items { list.append(try item.value(options, trusted: trusted)) }
            return tag == "!!omap" || tag == "!!pairs" ? .list(list.flatMap(Self.pairs)) : .list(list)
        case .mapping(let entries):
            var dict = Dict(minimumCapacity: entries.count)
            for entry in entries {
                let key = try entry.key.value(options, trusted: trusted)
                dict[key] = try entry.value.value(options, trusted: trusted)
            }
            return tag == "!!set" ? .list(Array(dict.keys)) : .dict(dict)
        }
    }

    private func decrypted(_ text: Text, _ options: ValueOptions) throws(Diagnostic) -> Text {
        guard let decrypt = options.decrypt else {
            return Text(text.string, mark: Mark(place: text.place, seal: .closed))
        }
        let plain = try decrypt(text)
        // What was in a vault is no template, as with ansible-core 2.19.
        return plain.isSealed ? plain : Text(plain.string, mark: Mark(place: text.place, isSecret: true))
    }

    /// `{a: 1}` of an `!!omap` as the list `[a, 1]` that it becomes in Ansible.
    private static func pairs(_ item: Value) -> [Value] {
        guard case .dict(let dict) = item else { return [item] }
        return dict.map { .list([$0.key, $0.value]) }
    }
}

extension String {
    /// Whether `{{`, `{%` or `{#` is in it.
    package var hasTemplateSyntax: Bool {
        var previous: UInt8 = 0
        for byte in utf8 {
            if previous == UInt8(ascii: "{"),
                byte == UInt8(ascii: "{") || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "#")
            {
                return true
            }
            previous = byte
        }
        return false
    }
}
