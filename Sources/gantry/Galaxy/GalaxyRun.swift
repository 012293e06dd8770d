import Crypto
import Glibc
import Machine
import Playbooks
import Values
import YAML

/// Installs: fetches into a scratch folder, checks, and puts in place by a rename.
struct GalaxyRun {
    private let arguments: GalaxyInstallArguments
    private let kinds: [GalaxySource.Kind]
    private let machine = LinuxMachine()

    init(_ arguments: GalaxyInstallArguments, _ kinds: [GalaxySource.Kind]) {
        self.arguments = arguments
        self.kinds = kinds
    }

    func install() throws {
        try GalaxyPaths.configuration().announce(verbosity: arguments.verbosity.verbose)
        var sources = arguments.sources.map { GalaxySource($0, kinds[0]) }
        if let file = arguments.requirements {
            sources += try Requirements(file).sources.filter { source in kinds.contains { $0 == source.kind } }
            sources = withoutStrayCollections(sources, file)
        }
        guard !sources.isEmpty || arguments.requirements != nil else {
            let isRole = kinds[0] == .role
            throw CommandFailure(
                Diagnostic(
                    isRole
                        ? "- you must specify a user/role name or a roles file"
                        : "You must specify a collection name or a requirements file."), status: isRole ? 5 : 1)
        }
        let roles = sources.filter { $0.kind == .role }
        if !roles.isEmpty { Output.print("Starting galaxy role install process") }
        for role in roles { try forgiving(role) { try install(role: role) } }
        let collections = sources.filter { $0.kind == .collection }
        if !collections.isEmpty { try CollectionInstall(arguments, fetch: fetched).install(collections) }
    }

    /// Collections as tarballs in a folder, with a file that names them for an installation from there.
    func download(to folder: String) throws {
        var sources = arguments.sources.map { GalaxySource($0, .collection) }
        if let file = arguments.requirements {
            sources += try Requirements(file).sources.filter { $0.kind == .collection }
        }
        guard !sources.isEmpty else {
            throw CommandFailure(Diagnostic("You must specify a collection name or a requirements file."), status: 1)
        }
        try CollectionInstall(arguments, fetch: fetched).download(sources, to: Disk.absolute(folder))
    }

    /// With a path of its own, a file's collections wait for their own command.
    private func withoutStrayCollections(_ sources: [GalaxySource], _ file: String) -> [GalaxySource] {
        guard kinds.count > 1, arguments.path != nil, sources.contains(where: { $0.kind == .collection }) else {
            return sources
        }
        Output.printError(
            Diagnostic(
                "The requirements file '\(Disk.absolute(file))' contains collections which will be ignored. To install "
                    + "these collections run 'ansible-galaxy collection install -r' or to install both at the same "
                    + "time run 'ansible-galaxy install -r' without a custom install path.", severity: .warning).shown)
        return sources.filter { $0.kind == .role }
    }

    private func forgiving(_ source: GalaxySource, _ body: () throws -> Void) throws {
        do { try body() } catch let failure as CommandFailure {
            guard MessageForm.current == .ansible else {
                guard arguments.ignoreErrors else { throw failure }
                return Output.printError(failure.description)
            }
            let why = failure.diagnostics.map(\.message).joined(separator: "; ")
            Output.printError(
                Diagnostic("- \(source.roleName) was NOT installed successfully: \(why)", severity: .warning).shown)
            guard !arguments.ignoreErrors else { return }
            throw CommandFailure(
                Diagnostic("- you can use --ignore-errors to skip failed roles and finish processing the list."),
                status: 1)
        }
    }

    private func install(role source: GalaxySource) throws {
        let target = try roleFolder()
        let name = source.roleName
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            throw source.failure("'\(name)' is no name of a role")
        }
        guard try isWanted(source, "\(target)/\(name)") else { return }
        let scratch = try GalaxyPaths.scratch(in: target)
        defer { try? machine.remove(scratch) }
        try place(role: source, from: try fetched(source, in: scratch), in: target)
    }

    /// Whether the role is to be installed, and what is said of one that is there.
    private func isWanted(_ source: GalaxySource, _ path: String) throws -> Bool {
        let name = source.roleName
        guard Disk.kind(path) != nil else { return true }
        let isNoted = Disk.kind("\(path)/meta/.galaxy_install_info") == .file
        let version = GalaxyPaths.version(of: path)
        if arguments.replaces {
            if isNoted {
                Output.print("- changing role \(name) from \(version ?? "") to \(source.version ?? "unspecified")")
            }
            return true
        }
        guard isNoted else {
            throw source.failure("the specified role \(name) appears to already exist. Use --force to replace it.")
        }
        if version == source.version {
            Output.print("- \(name)\(version.map { " (\($0))" } ?? "") is already installed, skipping.")
        } else {
            Output.printError(
                Diagnostic(
                    "- \(name) (\(version ?? "")) is already installed - use --force to change version to "
                        + (source.version ?? "unspecified"), severity: .warning).shown)
        }
        return false
    }

    private func roleFolder() throws -> String {
        guard let first = try GalaxyPaths.roles(arguments.path).first else {
            throw CommandFailure(Diagnostic("there is no path to install to"), status: 1)
        }
        return first
    }

    // MARK: Fetching

    private func fetched(_ source: GalaxySource, in scratch: String) throws -> String {
        let work = "\(scratch)/work"
        if source.isGit {
            let version = source.version == "*" ? nil : source.version
            var checkout = Checkout(url: source.address, folder: work, version: version ?? "HEAD")
            checkout.discards = true
            try checkout.update()
            if source.kind == .collection || !arguments.keepScmMeta {
                try CommandFailure.attempt { () throws(MachineError) in try machine.remove("\(work)/.git") }
            }
            return work
        }
        switch Disk.kind(source.address) {
        case .folder: try run(["cp", "-R", "--", "\(Disk.absolute(source.address))/.", work], for: source)
        case .file:
            if let url = source.url, source.kind == .role { Output.print("- downloading role from \(url)") }
            try unpack(source, source.address, work)
        case nil where source.isOnWeb:
            if source.kind == .role { Output.print("- downloading role from \(source.address)") }
            let path = Self.tarball(in: scratch)
            try downloads.fetch(source.address, to: path)
            try unpack(source, path, work)
        case nil where source.address.contains("://"):
            throw source.failure("expected an address of http, https, file or git (git+\(source.address))")
        case nil:
            throw source.failure("no such tarball or folder; nothing is fetched from Galaxy servers")
        }
        let names = Disk.names(work)
        if source.isNest { return work }
        let isRoot = ["meta", "tasks", "MANIFEST.json", "galaxy.yml"].contains { Disk.kind("\(work)/\($0)") != nil }
        return !isRoot && names.count == 1 ? "\(work)/\(names[0])" : work
    }

    private var downloads: Downloads {
        get throws {
            Downloads(
                try GalaxyPaths.configuration().environment, anyCertificate: arguments.servers.ignoreCerts,
                timeout: arguments.servers.timeout)
        }
    }

    /// Where a tarball from a web server lies while it is used.
    static func tarball(in scratch: String) -> String { "\(scratch)/download.tar.gz" }

    private func unpack(_ source: GalaxySource, _ path: String, _ work: String) throws {
        if let wanted = source.checksum {
            let digest = wanted.hasPrefix("sha256:") ? String(wanted.dropFirst(7)) : wanted
            let found = DigestAlgorithm.sha256.hex(of: try Disk.contents(path) ?? [])
            guard found == digest.lowercased() else {
                throw source.failure("its SHA-256 is \(found), expected \(digest)")
            }
        }
        try CommandFailure.attempt { () throws(MachineError) in try machine.makeFolder(work, mode: 0o755) }
        try run(
            ["tar", "-x", "--no-same-owner", "--no-same-permissions", "-f", Disk.absolute(path), "-C", work],
            for: source)
    }

    private func run(_ words: [String], for source: GalaxySource) throws {
        let result = try CommandFailure.attempt { () throws(MachineError) in try machine.run(Command(words)) }
        guard result.status == 0 else { throw source.failure(result.errorText.trimmed) }
    }

    // MARK: Placing

    private func place(role source: GalaxySource, from root: String, in target: String) throws {
        let name = source.roleName
        guard Disk.kind("\(root)/meta") == .folder || Disk.kind("\(root)/tasks") == .folder else {
            throw source.failure("this is no role: it has neither meta nor tasks")
        }
        Output.print("- extracting \(name) to \(target)/\(name)")
        try Output.write(
            "install_date: '\(Self.date())'\nversion: \(source.version ?? "''")\n",
            to: "\(root)/meta/.galaxy_install_info")
        try CommandFailure.attempt { () throws(MachineError) in
            try machine.remove("\(target)/\(name)")
            try machine.rename(root, to: "\(target)/\(name)")
        }
        Output.print("- \(name)\(source.version.map { " (\($0))" } ?? "") was installed successfully")
        guard !arguments.noDeps, let meta = try GalaxySource.mapping("\(target)/\(name)/meta/main.yml") else { return }
        // Dependencies with an address are installed; others are roles of the same path.
        for entry in meta["dependencies"]?.list ?? [] where entry["src"] != nil {
            let dependency = GalaxySource(entry, .role)
            try forgiving(dependency) { try install(role: dependency) }
        }
    }

    private static func date() -> String {
        var seconds = time(nil)
        var parts = unsafe tm()
        _ = unsafe gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = unsafe strftime(&buffer, buffer.count, "%c", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
