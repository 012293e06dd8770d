/// An error or a warning with its place, as a person reads it.
///
/// The message is one line: lower case, no full stop, what is wrong and with which value. What was expected and the
/// way out go into `hint` (under the caret) and `notes` (indented lines below).
package struct Diagnostic: Error, Sendable, Hashable {
    package enum Severity: String, Sendable { case error, warning, deprecation }

    package var severity: Severity
    package var place: Place?
    /// How many characters the caret line underlines; at least 1.
    package var length: Int
    package var message: String
    /// Shown behind the caret: `did you mean 'owner'?`
    package var hint: String?
    package var notes: [String]
    /// How a command ends for it, where that is not as others of its phase; stays in this process.
    package var status: Int32?

    package init(
        _ message: String, at place: Place? = nil, length: Int = 1, hint: String? = nil, notes: [String] = [],
        severity: Severity = .error
    ) {
        self.severity = severity
        self.place = place
        self.length = length
        self.message = message
        self.hint = hint
        self.notes = notes
    }

    /// The whole text: first line, excerpt with caret where the source is known, notes. No newline at the end.
    package var rendered: String {
        var lines: [String] = []
        let word = severity.rawValue
        lines.append(place.map { "\($0): \(word): \(message)" } ?? "\(word): \(message)")
        if let excerpt { lines += excerpt } else if let hint { lines.append("  \(hint)") }
        lines += notes.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }

    private var excerpt: [String]? {
        guard let place, let text = place.file.text else { return nil }
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        let index = Int(place.line) - 1
        guard all.indices.contains(index) else { return nil }
        let source = all[index].prefix(160).map { $0 == "\t" ? " " : String($0) }.joined()
        let number = String(place.line)
        let margin = String(repeating: " ", count: number.count)
        let start = max(0, Int(place.column) - 1)
        let room = max(1, source.count - start)
        let underline = "^" + String(repeating: "~", count: max(0, min(length, room) - 1))
        let caret = String(repeating: " ", count: min(start, source.count)) + underline
        return ["  \(number) | \(source)", "  \(margin) | \(caret)\(hint.map { " " + $0 } ?? "")"]
    }
}

/// Several diagnostics of one phase: all load-time errors are collected and shown together.
package struct Diagnostics: Error, Sendable {
    package var all: [Diagnostic]
    package init(_ all: [Diagnostic]) { self.all = all }
}

/// The candidate nearest to a misspelt name, close enough to be meant.
package func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(1, name.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates where abs(candidate.count - name.count) <= limit {
        // A slip is rarely in the first letter: 'source' is not 'force'.
        let distance = editDistance(name, candidate) + (limit > 1 && name.first != candidate.first ? 1 : 0)
        if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name ?? abbreviation(of: name, among: candidates)
}

/// The only candidate that the name is written out of or into: `src` for `source`, `destination` for `dest`.
private func abbreviation(of name: String, among candidates: some Sequence<String>) -> String? {
    func abbreviates(_ short: String, _ long: String) -> Bool {
        guard short.count >= 3, short.count < long.count, short.first == long.first, short.last != "_" else {
            return false
        }
        var rest = short[...]
        for letter in long where letter == rest.first { rest.removeFirst() }
        return rest.isEmpty && short.count * 3 > long.count
    }
    let near = candidates.filter { abbreviates($0, name) }
    return near.count == 1 ? near[0] : nil
}

/// `did you mean 'x'?` for the nearest candidate.
package func suggestion(for name: String, among candidates: some Sequence<String>) -> String? {
    nearest(to: name, among: candidates).map { "did you mean '\($0)'?" }
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
private func editDistance(_ left: String, _ right: String) -> Int {
    let a = Array(left.unicodeScalars)
    let b = Array(right.unicodeScalars)
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var cost = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
            row.append(cost)
        }
        rows.append(row)
    }
    return rows[a.count][b.count]
}
