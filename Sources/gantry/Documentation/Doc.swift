import ArgumentParser
import Modules
import Values
import YAML

/// `gantry doc`: what modules, filters, settings of plugins and roles there are, and what they take and return.
struct Doc: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the documentation of modules, filters, roles and more.",
        discussion: """
            Examples:
              gantry doc                    all modules
              gantry doc copy               one module
              gantry doc -t filter combine  one filter
              gantry doc -t role -l         roles that say what they take
              gantry doc --markdown docs/modules
                                            write the reference pages
            """)

    @Argument(help: "Names; with --list, of collections.", completion: .list(Registry.all.map(\.name)))
    var names: [String] = []

    @Flag(name: [.customShort("l"), .long], help: "List all.")
    var list = false

    @Flag(name: [.customShort("F"), .customLong("list_files")], help: "List all with their files.")
    var listFiles = false

    @Flag(name: [.customShort("s"), .long], help: "A task to fill in.")
    var snippet = false

    @Flag(name: [.customShort("j"), .long], help: "As JSON.")
    var json = false

    @Flag(help: "Everything of all types, as JSON.")
    var metadataDump = false

    @Flag(help: ArgumentHelp("With --metadata-dump: put errors among the rest.", visibility: .hidden))
    var noFailOnErrors = false

    @Option(
        name: [.customShort("t"), .long],
        help: "Of what: \(DocType.allCases.map(\.rawValue).joined(separator: ", ")).")
    var type = "module"

    @Option(name: [.customShort("e"), .long], help: "Only this entry point of roles.")
    var entryPoint: String?

    @Option(name: [.customShort("r"), .long], help: "Folders with roles, before the settings'.")
    var rolesPath: [String] = []

    @Option(name: [.customShort("M"), .long], help: "Folders with modules, before the settings'.")
    var modulePath: [String] = []

    @Option(help: "Act as if a playbook were in this folder.")
    var playbookDir: String?

    @Option(help: "Write the reference pages of the type into this folder.")
    var markdown: String?

    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        guard let kind = DocType(rawValue: type) else {
            let known = DocType.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("argument -t/--type: invalid choice: '\(type)' (choose from \(known))")
        }
        if let markdown {
            for (name, text) in kind.pages { try Output.write(text, to: "\(markdown)/\(name)") }
            return
        }
        let configuration = try Configuration(environment: Configuration.processEnvironment())
        if metadataDump { return try dump(configuration) }
        let isList = list || listFiles
        if Twin.isCalled, !isList, names.isEmpty {
            throw CommandFailure(
                Diagnostic("Missing name(s), incorrect options passed for detailed documentation."), status: 5)
        }
        if kind == .role { return try roles(configuration, isList) }
        if isList || names.isEmpty { return try list(kind, configuration) }
        try show(kind, configuration)
    }

    private func files(_ configuration: Configuration) -> DocFiles {
        let paths = modulePath.flatMap { $0.split(separator: ":").map(String.init) }
        return DocFiles(
            configuration: configuration, folder: Disk.absolute(playbookDir ?? "."), modulePath: paths)
    }

    // MARK: Lists

    private func list(_ kind: DocType, _ configuration: Configuration) throws {
        let files = files(configuration)
        var entries = kind.native
        if names.isEmpty {
            entries += files.all(kind)
        } else {
            entries = names.flatMap { name in
                kind.native.filter { $0.name == name || $0.name.hasPrefix(name + ".") } + files.all(kind, in: name)
            }
        }
        if json {
            let all = entries.map { ($0.name, Value.string(listFiles ? $0.path ?? "built in" : $0.summary)) }
            return Output.print(Value.dict(Dict(all)).json(JSONStyle(indent: 4, sortKeys: true)))
        }
        if kind == .keyword {
            return Output.print(
                try yamlText(.dict(Dict(entries.map { ($0.name, Value.string($0.summary)) }))).trimmed)
        }
        let prefix = Twin.isCalled || kind != .module ? "" : "ansible.builtin."
        let shown = entries.map { entry in
            (entry.name.hasPrefix(prefix) ? String(entry.name.dropFirst(prefix.count)) : entry.name, entry)
        }
        let width = shown.map(\.0.count).max() ?? 0
        for (name, entry) in shown {
            let fill = String(repeating: " ", count: width - name.count)
            Output.print("\(name)\(fill)  \(listFiles ? entry.path ?? "built in" : entry.summary)")
        }
    }

    private func roles(_ configuration: Configuration, _ isList: Bool) throws {
        let paths = rolesPath.flatMap { $0.split(separator: ":").map(String.init) }
        let folder = Disk.absolute(playbookDir ?? ".")
        let all = try RoleDocs(configuration: configuration, folder: folder, rolesPath: paths).all()
        if isList || names.isEmpty {
            let shown = all.filter { role in
                names.isEmpty || names.contains { role.name == $0 || role.name.hasPrefix($0 + ".") }
            }
            if json {
                let value = Value.dict(Dict(shown.map { ($0.name, $0.listed) }))
                return Output.print(value.json(JSONStyle(indent: 4, sortKeys: true)))
            }
            for role in shown {
                Output.print("\(role.name):\n  specs:")
                let width = role.entries.map(\.name.count).max() ?? 0
                for (name, spec) in role.entries {
                    let fill = String(repeating: " ", count: width - name.count)
                    Output.print("    \(name)\(fill): \(spec["short_description"]?.pythonText ?? "")")
                }
            }
            return
        }
        var documents = Dict()
        for name in names {
            guard let role = all.first(where: { $0.name == name || $0.path == Disk.absolute(name) }) else {
                try missing("role", name, all.map(\.name))
                continue
            }
            let entries = role.entries.filter { entryPoint == nil || $0.name == entryPoint }
            if json { documents[name] = role.document(entryPoint) } else {
                Output.print(DocPage(role: role.name, path: role.path, entries: entries).text)
            }
        }
        if json { Output.print(Value.dict(documents).json(JSONStyle(indent: 4, sortKeys: true))) }
    }

    // MARK: One

    private func show(_ kind: DocType, _ configuration: Configuration) throws {
        let files = files(configuration)
        var documents = Dict()
        for name in names {
            guard let entry = try entry(name, kind, files) else {
                try missing(kind.rawValue, name, kind.native.map(\.shortName))
                continue
            }
            if json {
                documents[name] = entry.document
            } else if kind == .keyword {
                Output.print(try yamlText(.dict([.string(Text(name)): entry.document])).trimmed + "\n")
            } else if snippet {
                Output.print(try Self.snippet(entry, kind))
            } else {
                Output.print(DocPage(entry, kind: kind.rawValue.uppercased()).text + "\n")
            }
        }
        if json { Output.print(Value.dict(documents).json(JSONStyle(indent: 4, sortKeys: true))) }
    }

    private func entry(_ name: String, _ kind: DocType, _ files: DocFiles) throws -> DocEntry? {
        if kind == .module, let module = Registry.entry(name) { return DocEntry(module) }
        let native = kind.native
        if let found = native.first(where: { $0.name == name }) { return found }
        if !name.contains("."), let found = native.first(where: { $0.name.hasSuffix(".\(name)") }) { return found }
        return try files.entry(named: name, kind)
    }

    private func missing(_ kind: String, _ name: String, _ known: [String]) throws {
        let hint = suggestion(for: name, among: known)
        guard Twin.isCalled else {
            throw CommandFailure(Diagnostic("there is no \(kind) '\(name)'", hint: hint), status: 1)
        }
        Output.printError(Diagnostic("\(name) was not found", hint: hint, severity: .warning).shown)
    }

    /// A task of the module, or a source of the inventory, with all parameters.
    private static func snippet(_ entry: DocEntry, _ kind: DocType) throws -> String {
        guard kind.hasSnippets else {
            throw CommandFailure(
                Diagnostic(
                    "Snippets are only available for the following plugin types: inventory, lookup, module"),
                status: 1)
        }
        let name = entry.path == nil ? entry.shortName : entry.name
        var lines = ["- name: \(DocPage.plain(entry.summary))", "  \(name):"]
        let options = entry.document["doc"]?["options"]?.dict ?? Dict()
        for (name, option) in options.map({ ($0.key.pythonText, $0.value) }).sorted(by: { $0.0 < $1.0 }) {
            let told = DocPage.texts(option["description"]).map(DocPage.plain).joined(separator: " ")
            let what = (option["required"]?.isTrue ?? false ? "(required) " : "") + told
            lines.append("      \(name): \(String(repeating: " ", count: max(0, 21 - name.count)))# \(what)")
        }
        return lines.joined(separator: "\n")
    }

    // MARK: Everything

    private func dump(_ configuration: Configuration) throws {
        let files = files(configuration)
        var all = Dict()
        for kind in DocType.allCases {
            var rows = Dict()
            if kind == .role {
                let paths = rolesPath.flatMap { $0.split(separator: ":").map(String.init) }
                let docs = RoleDocs(configuration: configuration, folder: files.folder, rolesPath: paths)
                for role in try docs.all() { rows[role.name] = role.document(nil) }
            } else {
                for entry in kind.native + files.all(kind) { rows[entry.name] = entry.document }
            }
            all[kind.rawValue] = .dict(rows)
        }
        let value: Value = ["all": .dict(all)]
        Output.print(value.json(JSONStyle(indent: 4, sortKeys: true)))
    }
}
