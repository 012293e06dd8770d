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
        if let markdown {
            for (name, text) in Reference.pages { try Output.write(text, to: "\(markdown)/\(name)") }
            return
        }
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
