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
    /// How every scalar is written; `nil`: as it fits best.
    package var scalars: Scalars?
    /// Every tag and quote is written out.
    package var isCanonical = false
    /// Strings of several lines as blocks (`|`).
    package var literal = Literal.none

    /// PyYAML's `default_style`.
    package enum Scalars: String, Sendable { case literal = "|", folded = ">", single = "'", double = "\"" }

    package enum Literal: Sendable {
        case none
        /// Where the block reads back as the string.
        case exact
        /// Always: blanks at ends of lines and tabs, which blocks cannot hold, are changed.
        case readable
    }

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
        try emitter.startSequence(flow: style.flow ?? (style.scalars == nil && list.allSatisfy(isScalar)))
        for item in list { try write(item, style, to: &emitter) }
        try emitter.endSequence()
    case .dict(let dict):
        try emitter.startMapping(flow: style.flow ?? (style.scalars == nil && dict.values.allSatisfy(isScalar)))
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
    case .string(let text) where text.isSealed: try emitter.vault(text.string)
    case .string(let text) where text.moment == .date || text.moment == .dateTime:
        try emitter.scalar(text.string, "timestamp", plain: scalar(text.string, taggedAs: "timestamp") != nil)
    case .string(let text): try write(text.string, style, to: &emitter)
    }
}

private func write(_ text: String, _ style: YAMLStyle, to emitter: inout EventEmitter) throws(Diagnostic) {
    guard style.literal != .none, text.unicodeScalars.contains(where: isBreak) else {
        return try emitter.scalar(text, "str", plain: readsAsString(text))
    }
    let block = style.literal == .readable ? fitForBlock(text) : text
    try emitter.scalar(block, "str", plain: readsAsString(block), isLiteral: true)
}

private func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar.value == 0x85 || scalar.value == 0x2028 || scalar.value == 0x2029
}

/// The text without what keeps libyaml from writing it as a block: blanks at ends of lines, tabs, control characters.
private func fitForBlock(_ text: String) -> String {
    var end = text.unicodeScalars[...]
    while let last = end.last, last.properties.isWhitespace { end.removeLast() }
    var out = String.UnicodeScalarView()
    var column = 0
    for scalar in end {
        switch scalar.value {
        case 9:
            let blanks = 8 - column % 8
            for _ in 0..<blanks { out.append(" ") }
            column += blanks
        case _ where isBreak(scalar) || scalar.value == 13:
            if isBreak(scalar) {
                while out.last == " " { out.removeLast() }
                out.append(scalar)
            }
            column = 0
        case 0x20...0x7e, 0xa0...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd, 0x10000...:
            out.append(scalar)
            column += 1
        default: column += 1
        }
    }
    return String(out)
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
