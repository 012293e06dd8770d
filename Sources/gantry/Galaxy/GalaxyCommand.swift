import ArgumentParser
import Glibc
import Machine
import Playbooks
import Values
import YAML

/// `gantry galaxy`: roles and collections from tarballs, folders and git repositories.
struct GalaxyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "galaxy", abstract: "Install, list and remove roles and collections.",
        discussion: """
            Examples:
              gantry galaxy install -r requirements.yml
              gantry galaxy role install git+https://git.example.org/nginx.git,v1.2,nginx
              gantry galaxy collection install ./acme-web-1.0.0.tar.gz
            Nothing is fetched from Galaxy servers: every source is an address.
            """,
        subcommands: [
            GalaxyRole.self, GalaxyCollection.self, GalaxyInstall.self, GalaxyRoleList.self, GalaxyRoleRemove.self,
            GalaxyRoleInit.self,
        ])
}

struct GalaxyRole: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Roles.",
        subcommands: [GalaxyRoleInstall.self, GalaxyRoleList.self, GalaxyRoleRemove.self, GalaxyRoleInit.self])
}

struct GalaxyCollection: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collection", abstract: "Collections.",
        subcommands: [
            GalaxyCollectionInstall.self, GalaxyCollectionList.self, GalaxyCollectionInit.self,
            GalaxyCollectionBuild.self, GalaxyCollectionVerify.self,
        ])
}

struct GalaxyInstallArguments: ParsableArguments {
    @Argument(help: "Sources: a tarball, a folder, or a git address, with ',VERSION' behind it.", completion: .file())
    var sources: [String] = []

    @Option(
        name: [.customShort("r"), .customLong("role-file"), .customLong("requirements-file")],
        help: "A file that names them.", completion: .file())
    var requirements: String?

    @Option(
        name: [.customShort("p"), .customLong("roles-path"), .customLong("collections-path")],
        help: "Where they go.", completion: .directory)
    var path: String?

    @Flag(name: [.customShort("f"), .long], help: "Replace what is there.") var force = false
    @Flag(name: [.customShort("n"), .customLong("no-deps")], help: "Without what they depend on.") var noDeps = false
    @Flag(help: ArgumentHelp("Taken for compatibility: nothing is asked of servers.", visibility: .hidden))
    var offline = false
    @Flag(name: [.customShort("i"), .long], help: "Go on when one cannot be installed.") var ignoreErrors = false
    @Flag(help: "Replace what is there, and what it depends on.") var forceWithDeps = false
    @Flag(
        name: [.customShort("U"), .long],
        help: ArgumentHelp("Replace what is there: what an address gives is the newest.", visibility: .hidden))
    var upgrade = false
    @Flag(
        name: [.customShort("g"), .long],
        help: ArgumentHelp("Taken for compatibility: .git is not kept.", visibility: .hidden))
    var keepScmMeta = false
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    var replaces: Bool { force || forceWithDeps || upgrade }
}

/// What Ansible's program asks of servers, which none is spoken to here: taken, without effect.
struct GalaxyServerArguments: ParsableArguments {
    @Option(name: [.customShort("s"), .long], help: "Taken for compatibility.") var server: String?
    @Option(name: [.customLong("token"), .customLong("api-key")], help: "Taken for compatibility.") var token: String?
    @Option(help: "Taken for compatibility.") var timeout: Int?
    @Flag(name: [.customShort("c"), .long], help: "Taken for compatibility.") var ignoreCerts = false
    @Flag(help: "Taken for compatibility.") var pre = false
    @Flag(help: "Taken for compatibility.") var noCache = false
    @Flag(help: "Taken for compatibility.") var clearResponseCache = false
    @Flag(help: "Taken for compatibility: digests are checked.") var disableGpgVerify = false
    @Option(help: "Taken for compatibility: digests are checked.") var keyring: String?
}

struct GalaxyInstall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Roles and collections that a file names, or one role.")
    @OptionGroup var arguments: GalaxyInstallArguments
    func run() throws { try GalaxyRun(arguments, [.role, .collection]).install() }
}

struct GalaxyRoleInstall: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "install", abstract: "Install roles.")
    @OptionGroup var arguments: GalaxyInstallArguments
    func run() throws { try GalaxyRun(arguments, [.role]).install() }
}

struct GalaxyCollectionInstall: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "install", abstract: "Install collections.")
    @OptionGroup var arguments: GalaxyInstallArguments
    func run() throws { try GalaxyRun(arguments, [.collection]).install() }
}

struct GalaxyRoleList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List installed roles.")
    @Argument(help: "Only this one.") var name: String?
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var rolesPath: String?

    func run() throws {
        let paths = try GalaxyPaths.roles(rolesPath)
        let folders = paths.filter { Disk.kind($0) == .folder }
        var isFound = false
        for folder in folders {
            let rows = Disk.names(folder).filter { entry in
                (name == nil || name == entry) && Disk.kind("\(folder)/\(entry)") == .folder
                    && ["meta", "tasks"].contains { Disk.kind("\(folder)/\(entry)/\($0)") == .folder }
            }
            if name == nil || !rows.isEmpty { Output.print("# \(folder)") }
            for entry in rows {
                isFound = true
                Output.print("- \(entry), \(GalaxyPaths.version(of: "\(folder)/\(entry)") ?? "(unknown version)")")
            }
        }
        if let name, !isFound { Self.warn("- the role \(name) was not found") }
        for path in paths where Disk.kind(path) != .folder {
            Self.warn("- the configured path \(path) does not exist.")
        }
        if folders.isEmpty {
            throw CommandFailure(
                Diagnostic(
                    "- None of the provided paths were usable. Please specify a valid path with --roles-path"),
                status: 5)
        }
    }

    private static func warn(_ text: String) { Output.printError(Diagnostic(text, severity: .warning).shown) }
}

struct GalaxyRoleRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove installed roles.")
    @Argument(help: "Their names.") var names: [String]
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var rolesPath: String?

    func run() throws {
        let folders = try GalaxyPaths.roles(rolesPath)
        for name in names {
            guard !name.contains("/"), name != "..", name != ".",
                let folder = folders.first(where: { Disk.kind("\($0)/\(name)") == .folder })
            else {
                Output.print("- \(name) is not installed, skipping.")
                continue
            }
            // Only what was installed, or is a role by its looks, is taken away.
            let path = "\(folder)/\(name)"
            guard ["meta", "tasks"].contains(where: { Disk.kind("\(path)/\($0)") == .folder }) else {
                throw CommandFailure(Diagnostic("'\(path)' is no role; it is left alone"), status: 1)
            }
            do throws(MachineError) { try LinuxMachine().remove(path) } catch {
                throw CommandFailure(Diagnostic(error.message), status: 1)
            }
            Output.print("- successfully removed \(name)")
        }
    }
}

struct GalaxyRoleInit: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Begin a role.")
    @Argument(help: "Its name.") var name: String
    @Option(help: "The folder it goes into.") var initPath = "."
    @Flag(name: [.customShort("f"), .long], help: "Though the folder is there.") var force = false

    func run() throws {
        let folder = "\(initPath)/\(name)"
        try GalaxyPaths.check(folder, force)
        for part in ["tasks", "handlers", "defaults", "vars"] {
            try Output.write("---\n# \(part) of \(name)\n", to: "\(folder)/\(part)/main.yml")
        }
        try Output.write(
            "---\ngalaxy_info:\n  author: your name\n  description: what the role does\n  license: Apache-2.0\n"
                + "  min_ansible_version: \"2.19\"\ndependencies: []\n", to: "\(folder)/meta/main.yml")
        try Output.write("# \(name)\n\nWhat the role does, and its variables.\n", to: "\(folder)/README.md")
        try Output.write("localhost\n", to: "\(folder)/tests/inventory")
        try Output.write("---\n- hosts: localhost\n  roles:\n    - \(name)\n", to: "\(folder)/tests/test.yml")
        for name in ["files", "templates"] { try Output.makeFolders("\(folder)/\(name)") }
        Output.print("- Role \(name) was created successfully")
    }
}

enum GalaxyListFormat: String, ExpressibleByArgument, CaseIterable { case human, json, yaml }

struct GalaxyCollectionList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List installed collections.")
    @Argument(help: "Only this one.") var name: String?
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var collectionsPath: String?
    @Option(help: "human, json or yaml.") var format: GalaxyListFormat = .human

    func run() throws {
        var all = Dict()
        for root in try GalaxyPaths.collections(collectionsPath) {
            let folder = root.hasSuffix("/ansible_collections") ? root : "\(root)/ansible_collections"
            var rows: [(name: String, version: String)] = []
            for space in Disk.names(folder) where Disk.kind("\(folder)/\(space)") == .folder {
                for entry in Disk.names("\(folder)/\(space)") {
                    guard let version = GalaxyPaths.collectionVersion("\(folder)/\(space)/\(entry)") else { continue }
                    if name == nil || name == "\(space).\(entry)" { rows.append(("\(space).\(entry)", version)) }
                }
            }
            guard !rows.isEmpty else { continue }
            guard format == .human else {
                all[.string(Text(folder))] = .dict(
                    Dict(rows.map { ($0.name, ["version": .string($0.version)]) }))
                continue
            }
            let width = max(10, rows.map(\.name.count).max() ?? 0)
            let other = max(7, rows.map(\.version.count).max() ?? 0)
            func padded(_ text: String, _ width: Int) -> String {
                text + String(repeating: " ", count: max(0, width - text.count))
            }
            Output.print("\n# \(folder)")
            Output.print("\(padded("Collection", width)) \(padded("Version", other))")
            Output.print("\(String(repeating: "-", count: width)) \(String(repeating: "-", count: other))")
            for row in rows { Output.print("\(padded(row.name, width)) \(padded(row.version, other))") }
        }
        switch format {
        case .human: break
        case .json: Output.print(Value.dict(all).json())
        case .yaml: Output.put(try yamlText(.dict(all)), 1)
        }
    }
}

struct GalaxyCollectionInit: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Begin a collection.")
    @Argument(help: "NAMESPACE.NAME.") var name: String
    @Option(help: "The folder it goes into.") var initPath = "."
    @Flag(name: [.customShort("f"), .long], help: "Though the folder is there.") var force = false

    func run() throws {
        let parts = name.split(separator: ".").map(String.init)
        guard parts.count == 2 else {
            throw CommandFailure(Diagnostic("'\(name)' is no name of a collection: write NAMESPACE.NAME"), status: 1)
        }
        let folder = "\(initPath)/\(parts[0])/\(parts[1])"
        try GalaxyPaths.check(folder, force)
        try Output.write(
            "---\nnamespace: \(parts[0])\nname: \(parts[1])\nversion: 1.0.0\nreadme: README.md\n"
                + "authors:\n  - your name\ndependencies: {}\n", to: "\(folder)/galaxy.yml")
        try Output.write("# \(name)\n", to: "\(folder)/README.md")
        try Output.write("---\nrequires_ansible: \">=2.15.0\"\n", to: "\(folder)/meta/runtime.yml")
        try Output.write("# Plugins of \(name)\n", to: "\(folder)/plugins/README.md")
        for name in ["docs", "roles"] { try Output.makeFolders("\(folder)/\(name)") }
        Output.print("- Collection \(name) was created successfully")
    }
}

/// Where roles and collections are, and what is known of them.
enum GalaxyPaths {
    static func configuration() throws(CommandFailure) -> Configuration {
        do throws(Diagnostic) {
            return try Configuration(environment: Configuration.processEnvironment())
        } catch { throw CommandFailure(error, status: 1) }
    }

    static func roles(_ given: String?) throws(CommandFailure) -> [String] {
        let configuration = try configuration()
        return before(given, configuration.paths(.rolesPath, separator: ":"), configuration)
    }

    static func collections(_ given: String?) throws(CommandFailure) -> [String] {
        let configuration = try configuration()
        return before(given, configuration.paths(.collectionsPath, separator: ":"), configuration)
    }

    /// What a command line names goes before what the settings do.
    private static func before(_ given: String?, _ known: [String], _ configuration: Configuration) -> [String] {
        var seen: Set<String> = []
        let own = (given ?? "").split(separator: ":").map { configuration.expanded(String($0)) }
        return (own + known).map(Disk.absolute).filter { seen.insert($0).inserted }
    }

    /// An empty folder where what is installed waits for its place: beside it, so that a rename puts it there.
    static func scratch(in target: String) throws(CommandFailure) -> String {
        let machine = LinuxMachine()
        let scratch = "\(target)/.gantry-galaxy-\(getpid())"
        try Output.makeFolders(target)
        try CommandFailure.attempt { () throws(MachineError) in
            try machine.remove(scratch)
            try machine.makeFolder(scratch, mode: 0o700)
        }
        return scratch
    }

    static func check(_ folder: String, _ force: Bool) throws(CommandFailure) {
        if Disk.kind(folder) != nil, !force {
            throw CommandFailure(
                Diagnostic("'\(folder)' is there already", notes: ["--force writes into it all the same"]), status: 1)
        }
    }

    /// As the installer noted it.
    static func version(of role: String) -> String? {
        guard let bytes = try? Disk.contents("\(role)/meta/.galaxy_install_info") else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("version:") {
            let version = line.dropFirst(8).trimmed
            return ["", "null", "''"].contains(version) ? nil : version
        }
        return nil
    }

    static func collectionVersion(_ folder: String) -> String? {
        guard Disk.kind(folder) == .folder else { return nil }
        if let bytes = try? Disk.contents("\(folder)/MANIFEST.json"),
            let manifest = try? Value(json: String(decoding: bytes, as: UTF8.self))
        {
            return manifest["collection_info"]?["version"]?.pythonText
        }
        guard Disk.kind("\(folder)/galaxy.yml") == .file else { return nil }
        return (try? GalaxySource.mapping("\(folder)/galaxy.yml"))?["version"]?.pythonText ?? "*"
    }
}
