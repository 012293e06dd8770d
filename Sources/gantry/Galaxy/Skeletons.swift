import ArgumentParser
import Playbooks
import Templates
import Values

/// What beginnings of roles and collections have in common.
struct SkeletonArguments: ParsableArguments {
    @Option(help: "The folder it goes into.", completion: .directory) var initPath = "."
    @Flag(name: [.customShort("f"), .long], help: "Though the folder is there.") var force = false
    @Option(
        name: [.customShort("e"), .customLong("extra-vars")],
        help: "Variables of the skeleton's templates: key=value, JSON or YAML, or @FILE.")
    var extraVars: [String] = []
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments
}

struct GalaxyRoleInit: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Begin a role.")
    @Argument(help: "Its name.") var name: String
    @Option(help: "A folder that it is made like.", completion: .directory) var roleSkeleton: String?
    @Option(help: "What the role is for: default, container, apb or network.") var type = "default"
    @Flag(help: ArgumentHelp("Taken for compatibility: no server is asked.", visibility: .hidden)) var offline = false
    @OptionGroup var arguments: SkeletonArguments

    func run() throws {
        let parts = name.split(separator: ".").map(String.init)
        let short = parts.last ?? name
        let folder = "\(arguments.initPath)/\(name)"
        try arguments.check(folder)
        let configuration = try GalaxyPaths.configuration()
        let skeleton = roleSkeleton ?? configuration.optional(.roleSkeleton).map(configuration.expanded)
        let variables: Dict = [
            "author": "your name", "company": "your company (optional)", "dependencies": .list([]),
            "description": "your role description", "license": "license (GPL-2.0-or-later, MIT, etc)",
            "issue_tracker_url": "http://example.com/issue/tracker", "min_ansible_version": .string(shortVersion),
            "repository_url": "http://example.com/repository", "documentation_url": "http://docs.example.com",
            "homepage_url": "http://example.com", "role_name": .string(short), "role_type": .string(type),
        ]
        if let skeleton {
            let ignored = try Skeleton.ignored(configuration, .roleSkeletonIgnore)
            try Skeleton(from: skeleton, ignored: ignored).copy(to: folder, try arguments.variables(over: variables))
        } else {
            try write(folder)
        }
        Output.print("- Role \(name) was created successfully")
    }

    private var shortVersion: String { languageVersion.split(separator: ".").prefix(2).joined(separator: ".") }

    private func write(_ folder: String) throws {
        for part in ["tasks", "handlers", "defaults", "vars"] {
            try Output.write("---\n# \(part) of \(name)\n", to: "\(folder)/\(part)/main.yml")
        }
        try Output.write(
            "---\ngalaxy_info:\n  author: your name\n  description: what the role does\n  license: Apache-2.0\n"
                + "  min_ansible_version: \"\(shortVersion)\"\ndependencies: []\n", to: "\(folder)/meta/main.yml")
        try Output.write("# \(name)\n\nWhat the role does, and its variables.\n", to: "\(folder)/README.md")
        try Output.write("localhost\n", to: "\(folder)/tests/inventory")
        try Output.write("---\n- hosts: localhost\n  roles:\n    - \(name)\n", to: "\(folder)/tests/test.yml")
        for name in ["files", "templates"] { try Output.makeFolders("\(folder)/\(name)") }
    }
}

struct GalaxyCollectionInit: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Begin a collection.")
    @Argument(help: "NAMESPACE.NAME.") var name: String
    @Option(help: "A folder that it is made like.", completion: .directory) var collectionSkeleton: String?
    @OptionGroup var arguments: SkeletonArguments

    func run() throws {
        let parts = name.split(separator: ".").map(String.init)
        guard parts.count == 2, parts.allSatisfy(Self.isName) else {
            throw CommandFailure(
                Diagnostic(
                    """
                    Invalid collection name '\(name)', name must be in the format <namespace>.<collection>. 
                    Please make sure namespace and collection name contains characters from [a-zA-Z0-9_] only.
                    """), status: 1)
        }
        let folder = "\(arguments.initPath)/\(parts[0])/\(parts[1])"
        try arguments.check(folder)
        let configuration = try GalaxyPaths.configuration()
        let skeleton = collectionSkeleton ?? configuration.optional(.collectionSkeleton).map(configuration.expanded)
        if let skeleton {
            let variables: Dict = [
                "namespace": .string(parts[0]), "collection_name": .string(parts[1]), "version": "1.0.0",
                "readme": "README.md", "authors": .strings(["your name <example@domain.com>"]),
                "description": "your collection description", "license": .strings(["GPL-2.0-or-later"]),
                "dependencies": .dict(Dict()), "tags": .list([]), "build_ignore": .list([]),
            ]
            let ignored = try Skeleton.ignored(
                configuration, .collectionSkeletonIgnore)
            try Skeleton(from: skeleton, ignored: ignored).copy(to: folder, try arguments.variables(over: variables))
        } else {
            try write(folder, parts)
        }
        Output.print("- Collection \(name) was created successfully")
    }

    private static func isName(_ part: String) -> Bool {
        !(part.first?.isNumber ?? true) && part.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }

    private func write(_ folder: String, _ parts: [String]) throws {
        try Output.write(
            "---\nnamespace: \(parts[0])\nname: \(parts[1])\nversion: 1.0.0\nreadme: README.md\n"
                + "authors:\n  - your name\ndependencies: {}\n", to: "\(folder)/galaxy.yml")
        try Output.write("# \(name)\n", to: "\(folder)/README.md")
        try Output.write("---\nrequires_ansible: \">=2.15.0\"\n", to: "\(folder)/meta/runtime.yml")
        try Output.write("# Plugins of \(name)\n", to: "\(folder)/plugins/README.md")
        for name in ["docs", "roles"] { try Output.makeFolders("\(folder)/\(name)") }
    }
}

extension SkeletonArguments {
    /// - Throws: when there is something already, and no `--force`.
    func check(_ folder: String) throws(CommandFailure) {
        if Disk.kind(folder) == .file {
            throw CommandFailure(Diagnostic("- the path \(folder) already exists, but is a file - aborting"), status: 1)
        }
        guard Disk.kind(folder) != nil, !force else { return }
        throw CommandFailure(
            Diagnostic(
                """
                - the directory \(folder) already exists. You can use --force to re-initialize this directory,
                however it will reset any main.yml files that may have
                been modified there already.
                """), status: 1)
    }

    /// What templates see: what was given on the command line goes first.
    func variables(over usual: Dict) throws -> Dict {
        var all = usual
        let configuration = try GalaxyPaths.configuration()
        let vault = VaultOpener([], matchesID: configuration.flag(.vaultIDMatch))
        let given = try ExtraVariables.read(extraVars, files: DiskFiles(vault: vault))
        for (key, value) in given { all[key] = value }
        return all
    }
}
