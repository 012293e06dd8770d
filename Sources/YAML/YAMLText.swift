package import Values

/// How YAML text is written, in PyYAML's terms.
package struct YAMLStyle: Sendable {
    /// `nil`: collections that hold only scalars are written in one line (`to_yaml`).
    package var flow: Bool?
    /// Spaces a level, 2 to 9.
    package var indent: Int
    /// Where long strings are folded; 0 or less: nowhere.
    package var width: Int
    package var sortKeys: Bool
    /// Begin with `---`.
    package var explicitStart: Bool
    /// Write characters beyond ASCII as they are.
    package var unicode: Bool

    package init(
        flow: Bool? = false, indent: Int = 2, width: Int = 80, sortKeys: Bool = true, explicitStart: Bool = false,
        unicode: Bool = true
    ) {
        self.flow = flow
        self.indent = indent
        self.width = width
        self.sortKeys = sortKeys
        self.explicitStart = explicitStart
        self.unicode = unicode
    }
}

/// YAML text of a value as PyYAML's safe dumper writes it through libyaml, except that nothing is written as an alias.
package func yamlText(_ value: Value, _ style: YAMLStyle = YAMLStyle()) throws(Diagnostic) -> String {
    guard var emitter = EventEmitter(style) else { throw Diagnostic("no memory to write YAML") }
    try emitter.begin(explicit: style.explicitStart)
    try write(value, style, to: &emitter)
    return try emitter.end()
}

/// The same with the commonest settings by name.
package func yamlText(
    _ value: Value, indent: Int, sortKeys: Bool = true, flow: Bool? = false, width: Int = 80
) throws(Diagnostic) -> String {
    try yamlText(value, YAMLStyle(flow: flow, indent: indent, width: width, sortKeys: sortKeys))
}

private func write(_ value: Value, _ style: YAMLStyle, to emitter: inout EventEmitter) throws(Diagnostic) {
    switch value {
    case .list(let list):
        try emitter.startSequence(flow: style.flow ?? list.allSatisfy(isScalar))
        for item in list { try write(item, style, to: &emitter) }
        try emitter.endSequence()
    case .dict(let dict):
        try emitter.startMapping(flow: style.flow ?? dict.values.allSatisfy(isScalar))
        for (key, item) in style.sortKeys ? sorted(dict) : dict.elements.map({ ($0.key, $0.value) }) {
            try write(key, style, to: &emitter)
            try write(item, style, to: &emitter)
        }
        try emitter.endMapping()
    case .null: try emitter.scalar("null", "null", plain: true)
    case .bool(let bool): try emitter.scalar(bool ? "true" : "false", "bool", plain: true)
    case .int(let int): try emitter.scalar(String(int), "int", plain: true)
    case .big(let big): try emitter.scalar(big.description, "int", plain: true)
    case .double(let double): try emitter.scalar(text(double), "float", plain: true)
    case .string(let text): try emitter.scalar(text.string, "str", plain: readsAsString(text.string))
    }
}

private func isScalar(_ value: Value) -> Bool {
    switch value {
    case .list, .dict: false
    default: true
    }
}

/// Whether the plain text reads back as a string.
private func readsAsString(_ text: String) -> Bool {
    if text == "<<" || text == "=" { return false }
    guard case .string(let resolved) = resolvedScalar(text), resolved.string == text else { return false }
    // Dates, and integers too large for 64 bits, are strings here and something else elsewhere.
    guard let first = text.utf8.first, first >= 0x2b, first <= 0x39, text.utf8.count >= 9 else { return true }
    return scalar(text, taggedAs: "timestamp") == nil
}

/// As Python sorts: strings by code point, numbers by value; mixed keys stay as they are.
private func sorted(_ dict: Dict) -> [(Value, Value)] {
    let pairs = dict.elements.map { ($0.key, $0.value) }
    if pairs.allSatisfy({ $0.0.text != nil }) {
        return pairs.sorted { Value.precedes($0.0.text ?? "", $1.0.text ?? "") }
    }
    guard pairs.allSatisfy({ $0.0.number != nil }) else { return pairs }
    return pairs.sorted { ($0.0.number ?? 0) < ($1.0.number ?? 0) }
}

private func text(_ double: Double) -> String {
    if double.isNaN { return ".nan" }
    if double.isInfinite { return double < 0 ? "-.inf" : ".inf" }
    let plain = Value.repr(of: double)
    // Without a point the reader would take it for a string.
    return plain.contains(".") ? plain : plain.replacing("e", with: ".0e", maxReplacements: 1)
}
