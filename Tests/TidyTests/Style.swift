import Testing

/// What anyone who opens a file may rely on.
@Suite struct Style {
    static let maximumLines = 600
    static let maximumColumns = 120
    /// Words for what is not done; each in two parts, so that this file passes.
    static let unfinished = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    /// In sources, bad input ends in an error, not in a trap.
    static let traps = ["fatalError(", "try!", "as!", "preconditionFailure("]

    @Test func swiftFilesAreShort() throws {
        for path in try SourceTree.swiftFiles(below: "Sources") + SourceTree.swiftFiles(below: "Tests") {
            let lines = try SourceTree.lines(path)
            #expect(lines.count <= Self.maximumLines + 1, "\(path) has \(lines.count) lines")
            let wide = lines.indices.filter { lines[$0].count > Self.maximumColumns }.map { String($0 + 1) }
            let places = wide.joined(separator: ", ")
            #expect(wide.isEmpty, "\(path) has more than \(Self.maximumColumns) columns at \(places)")
        }
    }

    @Test func nothingIsMarkedAsUnfinished() throws {
        let folders = ["Sources", "Tests", "Roles", "Playbooks", "Inventory", "docs"]
        var paths = try folders.flatMap { try SourceTree.files(below: $0) }
        paths += ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "COMPATIBILITY.md", "Makefile", "Package.swift"]
        for path in paths where !path.contains("/Cases/") {
            guard let text = try? SourceTree.text(path) else { continue }
            for word in Self.unfinished where hasWord(word, text) { Issue.record("\(path) says \(word)") }
        }
    }

    @Test func sourcesDoNotTrap() throws {
        for path in try SourceTree.swiftFiles(below: "Sources") {
            for (index, line) in try SourceTree.lines(path).enumerated() where !isComment(line) {
                for trap in Self.traps where line.range(of: trap) != nil {
                    Issue.record("\(path):\(index + 1) has \(trap)")
                }
            }
        }
    }

    private func isComment(_ line: String) -> Bool { line.drop { $0 == " " }.hasPrefix("//") }

    private func hasWord(_ word: String, _ text: String) -> Bool {
        var rest = text[...]
        while let range = rest.range(of: word) {
            let before = range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
            let after = range.upperBound == text.endIndex ? nil : text[range.upperBound]
            if !(before?.isLetter ?? false), !(after?.isLetter ?? false) { return true }
            rest = text[range.upperBound...]
        }
        return false
    }
}
