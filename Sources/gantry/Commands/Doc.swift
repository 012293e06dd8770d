import ArgumentParser
import Modules
import Values

/// `gantry doc`: what modules there are, and what they take and return.
struct Doc: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a module's documentation.",
        discussion: """
            Examples:
              gantry doc                    all modules
              gantry doc copy               one module
              gantry doc --markdown docs/modules
                                            write the reference pages
            """)

    @Argument(help: "Names of modules.", completion: .list(Registry.all.map(\.name)))
    var modules: [String] = []

    @Flag(name: [.customShort("l"), .long], help: "List all modules.")
    var list = false

    @Option(help: "Write a page for every module into this folder.")
    var markdown: String?

    func run() throws {
        if let markdown { return try Reference.write(to: markdown) }
        if list || modules.isEmpty {
            let width = Registry.all.map(\.name.count).max() ?? 0
            for entry in Registry.all.sorted(by: { $0.name < $1.name }) {
                let fill = String(repeating: " ", count: width - entry.name.count)
                print("\(entry.name)\(fill)  \(entry.summary)")
            }
            return
        }
        for name in modules {
            guard let entry = Registry.entry(name) else {
                let hint = suggestion(for: name, among: Registry.all.map(\.name))
                throw CommandFailure(Diagnostic("there is no module '\(name)'", hint: hint), status: 1)
            }
            print(text(entry))
        }
    }

    private func text(_ entry: ModuleEntry) -> String {
        var lines = ["> \(entry.name.uppercased())", "", "  \(entry.summary)", "", "PARAMETERS (= is mandatory):", ""]
        for row in entry.parameters {
            lines.append("\(row.required ? "=" : "-") \(row.name)")
            lines.append("    \(row.summary)")
            if !row.aliases.isEmpty { lines.append("    aliases: \(row.aliases.joined(separator: ", "))") }
            if !row.choices.isEmpty { lines.append("    choices: \(row.choices.joined(separator: ", "))") }
            if let fallback = row.defaultText { lines.append("    default: \(fallback)") }
            lines += ["    type: \(row.type)", ""]
        }
        if !entry.options.notes.isEmpty { lines += ["NOTES:"] + entry.options.notes.map { "  * \($0)" } + [""] }
        lines += ["CHECK MODE: \(entry.options.checkMode)", ""]
        if !entry.options.returns.isEmpty {
            lines += ["RETURNS:"] + entry.options.returns.map { "  \($0.name): \($0.summary)" } + [""]
        }
        if !entry.options.examples.isEmpty { lines += ["EXAMPLES:", "", entry.options.examples] }
        return lines.joined(separator: "\n")
    }
}

/// The reference pages, made from the schemas.
enum Reference {
    static func write(to folder: String) throws {
        for (name, text) in pages { try Output.write(text, to: "\(folder)/\(name)") }
    }

    /// File name → content.
    static var pages: [(name: String, text: String)] {
        let entries = Registry.all.sorted { $0.name < $1.name }
        let rows = entries.map { "| [\($0.name)](\($0.name).md) | \($0.summary) | \($0.options.checkMode) |" }
        let index =
            (["# Modules", "", "Made by `gantry doc --markdown`; do not edit.", "", "| module | what it is for | check mode |",
                "|---|---|---|"] + rows).joined(separator: "\n") + "\n"
        return [("README.md", index)] + entries.map { ("\($0.name).md", page($0)) }
    }

    private static func page(_ entry: ModuleEntry) -> String {
        var lines = ["# \(entry.name)", "", entry.summary, ""]
        if !entry.aliases.isEmpty { lines += ["Also known as: " + entry.aliases.map { "`\($0)`" }.joined(separator: ", "), ""] }
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
