import Values

/// A stretch of a template's text, in Unicode scalars from 0.
struct Span: Sendable, Hashable {
    var offset: Int32
    var length: Int32

    init(_ offset: Int, _ length: Int) {
        self.offset = Int32(truncatingIfNeeded: offset)
        self.length = Int32(truncatingIfNeeded: max(1, length))
    }

    func through(_ end: Span) -> Span { Span(Int(offset), Int(end.offset + end.length - offset)) }
}

/// The text that a syntax tree was made from: turns spans into places of the file.
final class Source: Sendable {
    let text: String
    let place: Place?
    /// Lines that came before the text and were taken off (a `#jinja2:` header).
    let linesBefore: Int

    init(text: String, place: Place?, linesBefore: Int = 0) {
        self.text = text
        self.place = place
        self.linesBefore = linesBefore
    }

    /// The place of a span in the file.
    ///
    /// A template within YAML may be indented or quoted there, so its line is looked for in the file's line.
    func place(of span: Span) -> Place? {
        guard let place else { return nil }
        let before = text.unicodeScalars.prefix(Int(span.offset))
        let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
        let index = max(0, lines.count - 1) + linesBefore
        let column = lines.last?.count ?? 0
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = all.indices.contains(lines.count - 1) ? String(all[max(0, lines.count - 1)]) : ""
        let number = Int(place.line) + index
        let base = index == 0 ? Int(place.column) - 1 : 0
        if let shift = shift(of: line, inLine: number, from: base) {
            return Place(file: place.file, line: number, column: shift + column + 1)
        }
        return Place(file: place.file, line: number, column: base + column + 1)
    }

    private func shift(of line: String, inLine number: Int, from start: Int) -> Int? {
        guard let text = place?.file.text, !line.isEmpty else { return nil }
        let all = text.split(separator: "\n", maxSplits: number, omittingEmptySubsequences: false)
        guard all.indices.contains(number - 1) else { return nil }
        let needle = Array(line)
        let hay = Array(all[number - 1])
        guard hay.count >= needle.count else { return nil }
        for offset in max(0, min(start, hay.count))...hay.count where offset + needle.count <= hay.count {
            if hay[offset] == needle[0], Array(hay[offset..<(offset + needle.count)]) == needle { return offset }
        }
        return nil
    }

    func failure(_ message: String, _ span: Span, hint: String? = nil, undefined: String? = nil) -> TemplateError {
        TemplateError(
            Diagnostic(message, at: place(of: span), length: Int(span.length), hint: hint), undefinedName: undefined)
    }
}
