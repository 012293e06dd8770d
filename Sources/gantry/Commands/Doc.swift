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

    @Flag(name: [.customShort("s"), .long], help: "A task to fill in.")
    var snippet = false

    @Flag(name: [.customShort("j"), .long], help: "As JSON.")
    var json = false

    @Option(name: [.customShort("t"), .long], help: "module: there is nothing to show of other kinds.")
    var type = "module"

    @Option(help: "Write a page for every module into this folder.")
    var markdown: String?

    private static let types = [
        "become", "cache", "callback", "cliconf", "connection", "httpapi", "inventory", "lookup", "netconf", "shell",
        "vars", "module", "strategy", "test", "filter", "role", "keyword",
    ]

    func run() throws {
        if let markdown {
            for (name, text) in Reference.pages { try Output.write(text, to: "\(markdown)/\(name)") }
            return
        }
        guard Self.types.contains(type) else {
            throw ValidationError(
                "argument -t/--type: invalid choice: '\(type)' (choose from \(Self.types.joined(separator: ", ")))")
        }
        if Twin.isCalled, !list, modules.isEmpty {
            throw CommandFailure(
                Diagnostic("Missing name(s), incorrect options passed for detailed documentation."), status: 5)
        }
        guard type == "module" else {
            throw CommandFailure(Diagnostic("there is no documentation of type '\(type)', only of modules"), status: 1)
        }
        if list || modules.isEmpty, json {
            let all = Registry.all.map { ("ansible.builtin.\($0.name)", Value.string($0.summary)) }
            return Output.print(Value.dict(Dict(all)).json(JSONStyle(indent: 4, sortKeys: true)))
        }
        if list || modules.isEmpty {
            let prefix = Twin.isCalled ? "ansible.builtin." : ""
            let width = prefix.count + (Registry.all.map(\.name.count).max() ?? 0)
            for entry in Registry.all.sorted(by: { $0.name < $1.name }) {
                let fill = String(repeating: " ", count: width - prefix.count - entry.name.count)
                print("\(prefix)\(entry.name)\(fill)  \(entry.summary)")
            }
            return
        }
        var documents = Dict()
        for name in modules {
            guard let entry = Registry.entry(name) else {
                let hint = suggestion(for: name, among: Registry.all.map(\.name))
                if Twin.isCalled {
                    Output.printError(Diagnostic("\(name) was not found", hint: hint, severity: .warning).shown)
                    continue
                }
                throw CommandFailure(Diagnostic("there is no module '\(name)'", hint: hint), status: 1)
            }
            if json {
                documents[entry.name] = document(entry)
            } else {
                Output.print(snippet ? Self.snippet(entry) : text(entry))
            }
        }
        if json { Output.print(Value.dict(documents).json(JSONStyle(indent: 4, sortKeys: true))) }
    }

    /// A task of the module with all its parameters.
    private static func snippet(_ entry: ModuleEntry) -> String {
        var lines = ["- name: \(entry.summary)", "  \(entry.name):"]
        for row in entry.parameters {
            let what = (row.required ? "(required) " : "") + row.summary
            lines.append("      \(row.name): \(String(repeating: " ", count: max(0, 18 - row.name.count)))# \(what)")
        }
        return lines.joined(separator: "\n")
    }

    /// In the shape of `ansible-doc --json`.
    private func document(_ entry: ModuleEntry) -> Value {
        var options = Dict()
        for row in entry.parameters {
            var option: Dict = [
                "description": .strings([row.summary]), "type": .string("\(row.type)"), "required": .bool(row.required),
            ]
            if !row.aliases.isEmpty { option["aliases"] = .strings(row.aliases) }
            if !row.choices.isEmpty { option["choices"] = .strings(row.choices) }
            if let fallback = row.defaultText { option["default"] = .string(fallback) }
            options[row.name] = .dict(option)
        }
        let returns = entry.options.returns.map { ($0.name, Value.dict(["description": .strings([$0.summary])])) }
        return [
            "doc": [
                "module": .string(entry.name), "short_description": .string(entry.summary),
                "description": .strings([entry.summary]), "notes": .strings(entry.options.notes),
                "options": .dict(options), "collection": "ansible.builtin",
            ],
            "examples": .string(entry.options.examples), "metadata": .null, "return": .dict(Dict(returns)),
        ]
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
