import Crypto
import Glibc
import Machine
import Playbooks
import Values
import YAML

/// One role or collection to install, as a requirements file or the command line names it.
struct GalaxySource {
    enum Kind: Sendable { case role, collection }

    var kind: Kind
    /// A path, an address of a tarball, or of a git repository.
    var address: String
    var isGit: Bool
    var version: String?
    var name: String?
    /// `sha256:HEX` of a tarball.
    var checksum: String?

    /// `[git+]ADDRESS[,VERSION[,NAME]]`.
    init(_ text: String, _ kind: Kind) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
        self.kind = kind
        address = parts[0]
        isGit = false
        version = parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil
        name = parts.count > 2 ? parts[2] : nil
        classify()
    }

    init(_ entry: Value, _ kind: Kind) {
        self.init(entry.text ?? entry["src"]?.text ?? entry["source"]?.text ?? entry["name"]?.text ?? "", kind)
        guard case .dict = entry else { return }
        if let given = entry["version"], !given.isNull { version = given.pythonText }
        if entry["src"] != nil || entry["source"] != nil { name = entry["name"]?.text ?? name }
        if entry["scm"]?.text == "git" || entry["type"]?.text == "git" { isGit = true }
        checksum = entry["checksum"]?.text
    }

    private mutating func classify() {
        if address.hasPrefix("git+") {
            address.removeFirst(4)
            isGit = true
        } else if address.hasPrefix("git@") || address.hasSuffix(".git") || address.hasPrefix("git://") {
            isGit = true
        }
        if address.hasPrefix("file://"), !isGit { address.removeFirst(7) }
    }

    static func mapping(_ path: String) throws(Diagnostic) -> Value? {
        guard let bytes = try Disk.contents(path) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let (nodes, _) = try YAMLReader.documents(text, file: SourceFile(name: path, text: text))
        return try nodes.first?.value(ValueOptions())
    }

    /// What a requirements file names; the old form is a list of roles.
    static func read(_ path: String) throws(CommandFailure) -> [GalaxySource] {
        do throws(Diagnostic) {
            guard let value = try mapping(path) else {
                throw Diagnostic("The requirements file '\(path)' does not exist.")
            }
            if let list = value.list { return list.map { GalaxySource($0, .role) } }
            let roles = (value["roles"]?.list ?? []).map { GalaxySource($0, .role) }
            return roles + (value["collections"]?.list ?? []).map { GalaxySource($0, .collection) }
        } catch { throw CommandFailure(error, status: 1) }
    }
}

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
        var sources = arguments.sources.map { GalaxySource($0, kinds[0]) }
        if let file = arguments.requirements {
            sources += try GalaxySource.read(file).filter { source in kinds.contains { $0 == source.kind } }
        }
        guard !sources.isEmpty else {
            throw CommandFailure(
                Diagnostic("You must specify a source, or a file of requirements with -r"), status: 5)
        }
        for source in sources {
            do { try install(source) } catch let failure as CommandFailure {
                guard arguments.ignoreErrors else { throw failure }
                Output.printError(failure.description)
            }
        }
    }

    private func install(_ source: GalaxySource) throws {
        let target = try folder(for: source.kind)
        try attempt { () throws(MachineError) in try makeFolders(target) }
        let scratch = "\(target)/.gantry-galaxy-\(getpid())"
        defer { try? machine.remove(scratch) }
        try attempt { () throws(MachineError) in
            try machine.remove(scratch)
            try machine.makeFolder(scratch, mode: 0o700)
        }
        let root = try fetched(source, in: scratch)
        switch source.kind {
        case .role: try place(role: source, from: root, in: target)
        case .collection: try place(collection: source, from: root, in: target)
        }
    }

    private func folder(for kind: GalaxySource.Kind) throws -> String {
        let paths = try kind == .role ? GalaxyPaths.roles(arguments.path) : GalaxyPaths.collections(arguments.path)
        guard let first = paths.first else {
            throw CommandFailure(Diagnostic("there is no path to install to"), status: 1)
        }
        if kind == .role { return first }
        return first.hasSuffix("/ansible_collections") ? first : "\(first)/ansible_collections"
    }

    // MARK: Fetching

    private func fetched(_ source: GalaxySource, in scratch: String) throws -> String {
        let work = "\(scratch)/work"
        if source.isGit {
            var checkout = Checkout(url: source.address, folder: work, version: source.version ?? "HEAD")
            checkout.discards = true
            try checkout.update()
            try attempt { () throws(MachineError) in try machine.remove("\(work)/.git") }
            return work
        }
        switch Disk.kind(source.address) {
        case .folder: try run(["cp", "-R", "--", "\(Disk.absolute(source.address))/.", work], for: source)
        case .file: try unpack(source, work)
        case nil where source.address.contains("://"):
            throw failure(source, "fetch it first, or name a git repository (git+\(source.address))")
        case nil:
            throw failure(source, "no such tarball or folder; nothing is fetched from Galaxy servers")
        }
        let names = Disk.names(work)
        let isRoot = ["meta", "tasks", "MANIFEST.json", "galaxy.yml"].contains { Disk.kind("\(work)/\($0)") != nil }
        return !isRoot && names.count == 1 ? "\(work)/\(names[0])" : work
    }

    private func unpack(_ source: GalaxySource, _ work: String) throws {
        if let wanted = source.checksum {
            let digest = wanted.hasPrefix("sha256:") ? String(wanted.dropFirst(7)) : wanted
            let found = DigestAlgorithm.sha256.hex(of: try Disk.contents(source.address) ?? [])
            guard found == digest.lowercased() else {
                throw failure(source, "its SHA-256 is \(found), expected \(digest)")
            }
        }
        try attempt { () throws(MachineError) in try machine.makeFolder(work, mode: 0o755) }
        try run(
            ["tar", "-x", "--no-same-owner", "--no-same-permissions", "-f", Disk.absolute(source.address), "-C", work],
            for: source)
    }

    private func run(_ words: [String], for source: GalaxySource) throws {
        let result = try attempt { () throws(MachineError) in try machine.run(Command(words)) }
        guard result.status == 0 else { throw failure(source, result.errorText.trimmed) }
    }

    private func failure(_ source: GalaxySource, _ why: String) -> CommandFailure {
        CommandFailure(Diagnostic("'\(source.address)' cannot be installed: \(why)"), status: 1)
    }

    @discardableResult
    private func attempt<T>(_ body: () throws(MachineError) -> T) throws(CommandFailure) -> T {
        do throws(MachineError) { return try body() } catch {
            throw CommandFailure(Diagnostic(error.message), status: 1)
        }
    }

    private func makeFolders(_ path: String) throws(MachineError) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if Disk.kind(made) == nil { try machine.makeFolder(made, mode: nil) }
        }
    }

    // MARK: Placing

    private func place(role source: GalaxySource, from root: String, in target: String) throws {
        var stem = source.address.split(separator: "/").last.map(String.init) ?? "role"
        for ending in [".git", ".tar.gz", ".tgz", ".tar"] where stem.hasSuffix(ending) { stem.removeLast(ending.count) }
        let name = source.name ?? stem
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            throw failure(source, "'\(name)' is no name of a role")
        }
        guard Disk.kind("\(root)/meta") == .folder || Disk.kind("\(root)/tasks") == .folder else {
            throw failure(source, "this is no role: it has neither meta nor tasks")
        }
        guard try isFree("\(target)/\(name)", name, source.version) else { return }
        try Output.write(
            "install_date: '\(Self.date())'\nversion: \(source.version ?? "''")\n",
            to: "\(root)/meta/.galaxy_install_info")
        try put(root, "\(target)/\(name)")
        Output.print("- \(name) (\(source.version ?? "unspecified")) was installed successfully")
        guard !arguments.noDeps, let meta = try GalaxySource.mapping("\(target)/\(name)/meta/main.yml") else { return }
        // Dependencies with an address are installed; others are roles of the same path.
        for entry in meta["dependencies"]?.list ?? [] where entry["src"] != nil {
            try install(GalaxySource(entry, .role))
        }
    }

    private func place(collection source: GalaxySource, from root: String, in target: String) throws {
        let info = try information(of: root, source)
        guard let space = info["namespace"]?.text, let name = info["name"]?.text,
            [space, name].allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } })
        else { throw failure(source, "it does not say its namespace and name") }
        let version = info["version"]?.pythonText ?? "*"
        if !source.isGit, let wanted = source.version, !VersionRange(wanted).contains(version) {
            throw failure(source, "its version is \(version), expected \(wanted)")
        }
        guard try isFree("\(target)/\(space)/\(name)", "\(space).\(name)", version) else { return }
        try attempt { () throws(MachineError) in try makeFolders("\(target)/\(space)") }
        try put(root, "\(target)/\(space)/\(name)")
        Output.print("\(space).\(name):\(version) was installed successfully")
    }

    /// What the collection says of itself; the files of a built one must be those that its manifest lists.
    private func information(of root: String, _ source: GalaxySource) throws -> Value {
        guard let bytes = try Disk.contents("\(root)/MANIFEST.json") else {
            guard let value = try GalaxySource.mapping("\(root)/galaxy.yml") else {
                throw failure(source, "this is no collection: it has neither MANIFEST.json nor galaxy.yml")
            }
            return value
        }
        let manifest = try Value(json: String(decoding: bytes, as: UTF8.self))
        let listing = try Disk.contents("\(root)/FILES.json") ?? []
        let digest = DigestAlgorithm.sha256.hex(of: listing)
        guard manifest["file_manifest_file"]?["chksum_sha256"]?.text == digest else {
            throw failure(source, "FILES.json is not the one that its manifest names")
        }
        for entry in try Value(json: String(decoding: listing, as: UTF8.self))["files"]?.list ?? []
        where entry["ftype"]?.text == "file" {
            let name = entry["name"]?.text ?? ""
            let content = name.split(separator: "/").contains("..") ? nil : try Disk.contents("\(root)/\(name)")
            guard let content, DigestAlgorithm.sha256.hex(of: content) == entry["chksum_sha256"]?.text else {
                throw failure(source, "'\(name)' is not what its manifest says")
            }
        }
        return manifest["collection_info"] ?? .null
    }

    private func isFree(_ path: String, _ name: String, _ version: String?) throws -> Bool {
        guard Disk.kind(path) != nil, !arguments.replaces else { return true }
        Output.print("- \(name) is already installed, skipping. Use --force to replace it")
        return false
    }

    private func put(_ root: String, _ path: String) throws {
        try attempt { () throws(MachineError) in
            try machine.remove(path)
            try machine.rename(root, to: path)
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

/// `>=1.0,<2`, `1.2.3` or `*`.
struct VersionRange {
    private let conditions: [(sign: String, version: [Int])]

    init(_ text: String) {
        conditions = text.split(separator: ",").map { part in
            let word = part.trimmed
            let sign = String(word.prefix { "<>=!".contains($0) })
            return (sign.isEmpty ? "==" : sign, Self.numbers(word.dropFirst(sign.count).trimmed))
        }.filter { !$0.1.isEmpty }
    }

    private static func numbers(_ text: String) -> [Int] {
        if text == "*" { return [] }
        return text.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
    }

    func contains(_ version: String) -> Bool {
        let own = Self.numbers(version)
        return conditions.allSatisfy { condition in
            let count = max(own.count, condition.version.count)
            func padded(_ parts: [Int]) -> [Int] { parts + Array(repeating: 0, count: count - parts.count) }
            let (left, right) = (padded(own), padded(condition.version))
            let isLess = left.lexicographicallyPrecedes(right)
            switch condition.sign {
            case ">=": return !isLess
            case "<=": return isLess || left == right
            case ">": return !isLess && left != right
            case "<": return isLess
            case "!=": return left != right
            default: return left == right
            }
        }
    }
}
