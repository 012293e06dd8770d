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
            GalaxyRoleInit.self, GalaxyRoleInfo.self, GalaxyRoleSearch.self, GalaxyRoleImport.self,
            GalaxyRoleSetup.self, GalaxyRoleDelete.self,
        ])
}

struct GalaxyRole: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Roles.",
        subcommands: [
            GalaxyRoleInstall.self, GalaxyRoleList.self, GalaxyRoleRemove.self, GalaxyRoleInit.self,
            GalaxyRoleInfo.self, GalaxyRoleSearch.self, GalaxyRoleImport.self, GalaxyRoleSetup.self,
            GalaxyRoleDelete.self,
        ])
}

struct GalaxyCollection: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collection", abstract: "Collections.",
        subcommands: [
            GalaxyCollectionInstall.self, GalaxyCollectionList.self, GalaxyCollectionInit.self,
            GalaxyCollectionBuild.self, GalaxyCollectionVerify.self, GalaxyCollectionDownload.self,
            GalaxyCollectionPublish.self,
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
    @Flag(name: [.customShort("g"), .long], help: "Keep .git of roles that come from repositories.")
    var keepScmMeta = false
    @Flag(help: ArgumentHelp("Taken for compatibility.", visibility: .hidden)) var pre = false
    @Flag(help: ArgumentHelp("Taken for compatibility.", visibility: .hidden)) var noCache = false
    @Flag(help: ArgumentHelp("Taken for compatibility.", visibility: .hidden)) var clearResponseCache = false
    @OptionGroup(visibility: .hidden) var signatures: GalaxySignatureArguments
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    var replaces: Bool { force || forceWithDeps || upgrade }
}

/// What Ansible's program asks of servers, which none is spoken to here: taken, without effect.
struct GalaxyServerArguments: ParsableArguments {
    @Option(name: [.customShort("s"), .long], help: "Taken for compatibility.") var server: String?
    @Option(name: [.customLong("token"), .customLong("api-key")], help: "Taken for compatibility.") var token: String?
    @Option(help: "Taken for compatibility.") var timeout: Int?
    @Flag(name: [.customShort("c"), .long], help: "Take any certificate of a web server.") var ignoreCerts = false

    /// What cannot be done without such a server, and the way out.
    static func needed(_ what: String) -> CommandFailure {
        CommandFailure(
            Diagnostic(
                "\(what) needs a Galaxy server, and none is spoken to",
                hint: "name the address of a git repository or of a tarball, or a folder, and install that"),
            status: 1)
    }
}

/// Signatures of collections, in whose place digests are checked: taken, without effect.
struct GalaxySignatureArguments: ParsableArguments {
    @Flag(help: "Taken for compatibility: digests are checked.") var disableGpgVerify = false
    @Option(help: "Taken for compatibility: digests are checked.") var keyring: String?
    @Option(help: "Taken for compatibility: digests are checked.") var signature: [String] = []
    @Option(help: "Taken for compatibility: digests are checked.") var requiredValidSignatureCount: String?
    @Option(help: "Taken for compatibility: digests are checked.") var ignoreSignatureStatusCode: [String] = []
    @Option(parsing: .upToNextOption, help: "Taken for compatibility: digests are checked.")
    var ignoreSignatureStatusCodes: [String] = []
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
