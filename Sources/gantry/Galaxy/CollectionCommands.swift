import ArgumentParser
import Crypto
import Machine
import Values

/// `gantry galaxy collection build`: a tarball of a folder with `galaxy.yml`.
struct GalaxyCollectionBuild: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "build", abstract: "Make a tarball of a collection.")
    @Argument(help: "Folders with galaxy.yml.", completion: .directory) var folders: [String] = ["."]
    @Option(help: "The folder it goes into.", completion: .directory) var outputPath = "."
    @Flag(name: [.customShort("f"), .long], help: "Replace the tarball that is there.") var force = false
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        for folder in folders { try build(Disk.absolute(folder)) }
    }

    private func build(_ root: String) throws {
        guard let information = try CollectionManifest.description(in: root) else {
            throw CommandFailure(
                Diagnostic("The collection galaxy.yml path '\(root)/galaxy.yml' does not exist."), status: 1)
        }
        let missing = ["authors", "name", "namespace", "readme", "version"].filter { information[$0] == nil }
        guard missing.isEmpty else {
            throw CommandFailure(
                Diagnostic(
                    "The collection galaxy.yml at '\(root)/galaxy.yml' is missing the following mandatory keys: "
                        + missing.joined(separator: ", ")), status: 1)
        }
        func text(_ key: String) -> String { information[key]?.pythonText ?? "" }
        let folder = Disk.absolute(outputPath)
        let path = "\(folder)/\(text("namespace"))-\(text("name"))-\(text("version")).tar.gz"
        if Disk.kind(path) != nil, !force {
            throw CommandFailure(
                Diagnostic(
                    "The file '\(path)' already exists. You can use --force to re-create the collection artifact."),
                status: 1)
        }
        try CollectionManifest(of: root, information).pack(root, into: path)
        Output.print("Created collection for \(text("namespace")).\(text("name")) at \(path)")
    }
}

/// `gantry galaxy collection verify`: whether installed files are those that their manifest lists.
struct GalaxyCollectionVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compare installed files with their manifest.")
    @Argument(help: "NAMESPACE.NAME.") var names: [String] = []
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var collectionsPath: String?
    @Option(name: [.customShort("r"), .long], help: "A file that names them.") var requirementsFile: String?
    @Flag(help: "Taken for compatibility: no server is asked.") var offline = false
    @Flag(name: [.customShort("i"), .long], help: "Go on behind one that is not there.") var ignoreErrors = false
    @OptionGroup(visibility: .hidden) var signatures: GalaxySignatureArguments
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        let named = try requirementsFile.map { try Requirements($0).sources.filter { $0.kind == .collection } } ?? []
        let wanted = names + named.map { $0.name ?? $0.address }
        guard !wanted.isEmpty else {
            throw CommandFailure(Diagnostic("You must specify a collection name or a requirements file."), status: 1)
        }
        let roots = try GalaxyPaths.collections(collectionsPath)
        var isWrong = false
        for text in wanted {
            let name = String(text.prefix { $0 != ":" && $0 != "," })
            let part = "ansible_collections/\(name.split(separator: ".").joined(separator: "/"))"
            guard name.split(separator: ".").count == 2, let path = roots.map({ "\($0)/\(part)" }).first(where: {
                GalaxyPaths.collectionVersion($0) != nil
            }) else {
                let problem = Diagnostic("Collection \(name) is not installed in any of the collection paths.")
                guard ignoreErrors else { throw CommandFailure(problem, status: 1) }
                Output.printError(problem.shown)
                continue
            }
            if try !isWhole(path, name) { isWrong = true }
        }
        if isWrong { throw ExitCode(1) }
    }

    private func isWhole(_ path: String, _ name: String) throws -> Bool {
        guard let bytes = try Disk.contents("\(path)/MANIFEST.json") else {
            throw CommandFailure(
                Diagnostic("Collection \(name) does not have a MANIFEST.json. It has not been built."), status: 1)
        }
        let (manifest, wrong) = try CollectionManifest.verified(path)
        let title = "\(name):\(manifest["collection_info"]?["version"]?.pythonText ?? "*")"
        Output.print("Verifying '\(title)'.\nInstalled collection found at '\(path)'")
        Output.print("MANIFEST.json hash: \(DigestAlgorithm.sha256.hex(of: bytes))")
        guard wrong.isEmpty else {
            Output.print("Collection \(name) contains modified content in the following files:")
            for file in wrong { Output.print("    \(file)") }
            return false
        }
        Output.print("Successfully verified that checksums for '\(title)' are internally consistent with its manifest.")
        return true
    }
}

/// `gantry galaxy collection download`: tarballs for an installation elsewhere.
struct GalaxyCollectionDownload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download", abstract: "Put tarballs of collections into a folder.")
    @Argument(help: "Sources: a tarball, a folder, or an address.", completion: .file()) var sources: [String] = []
    @Option(name: [.customShort("r"), .long], help: "A file that names them.", completion: .file())
    var requirementsFile: String?
    @Option(name: [.customShort("p"), .long], help: "The folder.", completion: .directory)
    var downloadPath = "./collections"
    @Flag(name: [.customShort("n"), .customLong("no-deps")], help: "Say nothing of what they depend on.")
    var noDeps = false
    @Flag(help: ArgumentHelp("Taken for compatibility.", visibility: .hidden)) var pre = false
    @Flag(help: ArgumentHelp("Taken for compatibility.", visibility: .hidden)) var noCache = false
    @Flag(help: ArgumentHelp("Taken for compatibility.", visibility: .hidden)) var clearResponseCache = false
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        var words = requirementsFile.map { ["-r", $0] } ?? []
        if noDeps { words.append("--no-deps") }
        if servers.ignoreCerts { words.append("--ignore-certs") }
        if let timeout = servers.timeout { words += ["--timeout", "\(timeout)"] }
        let arguments = try GalaxyInstallArguments.parse(words + ["--"] + sources)
        try GalaxyRun(arguments, [.collection]).download(to: downloadPath)
    }
}
