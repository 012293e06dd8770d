import Values

/// The reference pages, made from the schemas.
package enum Reference {
    /// File name and content of each.
    package static var pages: [(name: String, text: String)] {
        let entries = Registry.all.sorted { $0.name < $1.name }
        let rows = entries.map { "| [\($0.name)](\($0.name).md) | \($0.summary) | \($0.options.checkMode) |" }
        let index =
            ([
                "# Modules", "", "Made by `gantry doc --markdown`; do not edit.", "",
                "| module | what it is for | check mode |", "|---|---|---|",
            ] + rows).joined(separator: "\n") + "\n"
        return [("README.md", index)] + entries.map { ("\($0.name).md", page($0)) }
    }

    private static func page(_ entry: ModuleEntry) -> String {
        var lines = ["# \(entry.name)", "", entry.summary, ""]
        if !entry.aliases.isEmpty {
            lines += ["Also known as: " + entry.aliases.map { "`\($0)`" }.joined(separator: ", "), ""]
        }
        if !entry.parameters.isEmpty {
            lines += ["| parameter | type | default | what it says |", "|---|---|---|---|"]
            for row in entry.parameters { lines.append(line(row)) }
            lines.append("")
        }
        lines += ["Check mode: \(entry.options.checkMode).", ""]
        for note in entry.options.notes { lines += ["- \(note)"] }
        if !entry.options.notes.isEmpty { lines.append("") }
        if !entry.options.returns.isEmpty {
            lines += ["| result | what it says |", "|---|---|"]
            lines += entry.options.returns.map { "| `\($0.name)` | \(cell($0.summary)) |" } + [""]
        }
        if !entry.options.examples.isEmpty { lines += ["```yaml", entry.options.examples, "```", ""] }
        return lines.joined(separator: "\n")
    }

    private static func line(_ row: ParameterInfo) -> String {
        var says = row.summary
        if !row.choices.isEmpty { says += " One of: " + row.choices.map { "`\($0)`" }.joined(separator: ", ") + "." }
        if !row.aliases.isEmpty { says += " Also: " + row.aliases.map { "`\($0)`" }.joined(separator: ", ") + "." }
        let fallback = row.required ? "needed" : row.defaultText.map { "`\($0)`" } ?? ""
        return "| `\(row.name)` | \(row.type) | \(fallback) | \(cell(says)) |"
    }

    private static func cell(_ text: String) -> String {
        text.split(separator: "\n").joined(separator: " ").split(separator: "|", omittingEmptySubsequences: false)
            .joined(separator: "\\|")
    }
}
