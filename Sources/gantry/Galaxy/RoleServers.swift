import ArgumentParser
import Playbooks
import Values

/// `gantry galaxy role info`: what installed roles say of themselves.
struct GalaxyRoleInfo: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "info", abstract: "What installed roles say.")
    @Argument(help: "Their names.") var names: [String]
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var rolesPath: String?
    @Flag(help: ArgumentHelp("Taken for compatibility: no server is asked.", visibility: .hidden)) var offline = false
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        let folders = try GalaxyPaths.roles(rolesPath)
        var isMissing = false
        for name in names {
            guard !name.contains("/"), let folder = folders.first(where: { Self.isRole("\($0)/\(name)") }) else {
                isMissing = true
                Output.print("- the role \(name) was not found")
                continue
            }
            Output.print(try Self.text(name, "\(folder)/\(name)"))
        }
        if isMissing, !offline, !Twin.isCalled { throw ExitCode(1) }
    }

    private static func isRole(_ path: String) -> Bool {
        ["meta", "tasks"].contains { Disk.kind("\(path)/\($0)") == .folder }
    }

    private static func text(_ name: String, _ path: String) throws -> String {
        let meta = try GalaxySource.mapping("\(path)/meta/main.yml")
        let information = meta?["galaxy_info"]?.dict ?? Dict()
        let noted = try GalaxySource.mapping("\(path)/meta/.galaxy_install_info")
        var lines = ["", "Role: \(name)", "\tdescription: \(information["description"]?.pythonText ?? "")"]
        var told: [(String, Value)] = [("path", .string(path))]
        told += information.map { ($0.key.pythonText, $0.value) }.filter { $0.0 != "description" }
        if let dependencies = meta?["dependencies"] { told.append(("dependencies", dependencies)) }
        if let date = noted?["install_date"] { told.append(("install_date", date)) }
        if let version = noted?["version"], !version.pythonText.isEmpty {
            told.append(("installed_version", version))
        }
        for (key, value) in told.sorted(by: { $0.0 < $1.0 }) {
            guard let members = value.dict else {
                lines.append("\t\(key): \(value.pythonText)")
                continue
            }
            lines.append("\t\(key):")
            for (name, member) in members { lines.append("\t\t\(name.pythonText): \(member.pythonText)") }
        }
        return lines.joined(separator: "\n")
    }
}

// What needs a Galaxy server: taken as Ansible's program takes it, and refused with the way out.

struct GalaxyRoleSearch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Look for roles on a Galaxy server.", shouldDisplay: false)
    @Argument var words: [String] = []
    @Option var platforms: String?
    @Option var galaxyTags: String?
    @Option var author: String?
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        if words.isEmpty, platforms == nil, galaxyTags == nil, author == nil {
            throw CommandFailure(
                Diagnostic(
                    "Invalid query. At least one search term, platform, galaxy tag or author must be provided."),
                status: 1)
        }
        throw GalaxyServerArguments.needed("looking for roles")
    }
}

struct GalaxyRoleImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Put a role onto a Galaxy server.", shouldDisplay: false)
    @Argument var user: String
    @Argument var repository: String
    @Flag var noWait = false
    @Option(name: [.customLong("branch")]) var reference: String?
    @Option var roleName: String?
    @Flag var status = false
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws { throw GalaxyServerArguments.needed("importing '\(user).\(repository)'") }
}

struct GalaxyRoleDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Take a role from a Galaxy server.", shouldDisplay: false)
    @Argument var user: String
    @Argument var repository: String
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws { throw GalaxyServerArguments.needed("deleting '\(user).\(repository)'") }
}

struct GalaxyRoleSetup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Let a Galaxy server follow a repository.", shouldDisplay: false)
    @Argument var words: [String] = []
    @Option(name: [.customLong("remove")]) var removed: String?
    @Flag(name: [.customLong("list")]) var isList = false
    @Option(name: [.customShort("p"), .long]) var rolesPath: String?
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws { throw GalaxyServerArguments.needed("setting up an integration") }
}

struct GalaxyCollectionPublish: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Put a collection onto a Galaxy server.", shouldDisplay: false)
    @Argument(help: "The tarball.", completion: .file()) var path: String
    @Flag var noWait = false
    @Option var importTimeout: Int?
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        guard Disk.kind(path) == .file else {
            throw CommandFailure(
                Diagnostic("The collection path specified '\(Disk.absolute(path))' does not exist."), status: 1)
        }
        throw GalaxyServerArguments.needed("publishing '\(path)'")
    }
}
