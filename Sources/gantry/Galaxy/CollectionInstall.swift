import Crypto
import Machine
import Playbooks
import Values
import YAML

/// Installs collections: all are fetched and read before the first is put in its place.
struct CollectionInstall {
    private let arguments: GalaxyInstallArguments
    /// Brings a source into a folder, and says where it is in there.
    private let fetch: (GalaxySource, String) throws -> String
    private let machine = LinuxMachine()

    init(_ arguments: GalaxyInstallArguments, fetch: @escaping (GalaxySource, String) throws -> String) {
        self.arguments = arguments
        self.fetch = fetch
    }

    /// A collection that is fetched, and not yet in its place.
    private struct Fetched {
        let root: String
        let source: GalaxySource
        let information: Value
        let name: String
        let space: String
        /// The tarball that it came in.
        var tarball: String?
        var version: String { information["version"]?.pythonText ?? "*" }
        var fullName: String { "\(space).\(name)" }
    }

    func install(_ sources: [GalaxySource]) throws {
        let paths = try GalaxyPaths.collections(arguments.path)
        guard let first = paths.first else {
            throw CommandFailure(Diagnostic("there is no path to install to"), status: 1)
        }
        let target = first.hasSuffix("/ansible_collections") ? first : "\(first)/ansible_collections"
        Output.print("Starting galaxy collection install process")
        if arguments.path != nil { try warnOfPath(first) }
        let scratch = try GalaxyPaths.scratch(in: target)
        defer { try? machine.remove(scratch) }
        let all = try fetched(sources, in: scratch)
        // What a folder or repository holds may differ though its version is the same.
        let needed = arguments.replaces ? all : all.filter { one in
            one.source.isBuilt
                || GalaxyPaths.collectionVersion("\(target)/\(one.space)/\(one.name)") != one.version
        }
        guard !needed.isEmpty else {
            guard !all.isEmpty else { return }
            return Output.print(
                "Nothing to do. All requested collections are already installed. "
                    + "If you want to reinstall them, consider using `--force`.")
        }
        Output.print("Process install dependency map")
        if !arguments.noDeps { warnOfDependencies(all, target) }
        Output.print("Starting collection install process")
        for one in all {
            let isNeeded = needed.contains { $0.root == one.root }
            if isNeeded { try place(one, in: target) } else {
                Output.print("'\(one.fullName):\(one.version)' is already installed, skipping.")
            }
        }
    }

    /// Puts tarballs of them into a folder, and `requirements.yml` that names these.
    func download(_ sources: [GalaxySource], to target: String) throws {
        Output.print("Process download dependency map")
        let scratch = try GalaxyPaths.scratch(in: target)
        defer { try? machine.remove(scratch) }
        let all = try fetched(sources, in: scratch)
        Output.print("Starting collection download process to '\(target)'")
        var rows: [Value] = []
        for one in all {
            let title = "\(one.fullName):\(one.version)"
            let name = "\(one.space)-\(one.name)-\(one.version).tar.gz"
            Output.print("Downloading collection '\(title)' to '\(target)'")
            if let tarball = one.tarball, let bytes = try Disk.contents(tarball) {
                try Output.write(bytes, to: "\(target)/\(name)")
            } else {
                try CollectionManifest(of: one.root, one.information).pack(one.root, into: "\(target)/\(name)")
            }
            Output.print("Collection '\(title)' was downloaded successfully")
            rows.append(["name": .string(name), "version": .string(one.version)])
        }
        let path = "\(target)/requirements.yml"
        Output.print("Writing requirements.yml file of downloaded collections to '\(path)'")
        try Output.write(try yamlText(["collections": .list(rows)]), to: path)
        if !arguments.noDeps { warnOfDependencies(all, target) }
    }

    private func fetched(_ sources: [GalaxySource], in scratch: String) throws -> [Fetched] {
        var all: [Fetched] = []
        for (index, source) in sources.enumerated() {
            let folder = "\(scratch)/\(index)"
            try forgiving {
                try CommandFailure.attempt { () throws(MachineError) in try machine.makeFolder(folder, mode: 0o700) }
                all += try collections(of: source, in: folder)
            }
        }
        return try withoutTwins(all)
    }

    /// Each collection once; two versions of one cannot both be had.
    private func withoutTwins(_ all: [Fetched]) throws -> [Fetched] {
        var versions: [String: String] = [:]
        return try all.filter { one in
            guard let other = versions.updateValue(one.version, forKey: one.fullName) else { return true }
            guard other != one.version else { return false }
            throw CommandFailure(
                Diagnostic("\(one.fullName) is asked for twice, as \(other) and as \(one.version)"), status: 1)
        }
    }

    private func warnOfPath(_ path: String) throws {
        let known = try GalaxyPaths.collections(nil)
        guard !known.contains(path) else { return }
        Output.printError(
            Diagnostic(
                "The specified collections path '\(path)' is not part of the configured Ansible collections paths "
                    + "'\(known.joined(separator: ":"))'. The installed collection will not be picked up in an Ansible "
                    + "run, unless within a playbook-adjacent collections directory.", severity: .warning).shown)
    }

    /// Servers are not asked: what is needed and neither there nor named has to be installed by its address.
    private func warnOfDependencies(_ all: [Fetched], _ target: String) {
        for one in all {
            for (key, range) in one.information["dependencies"]?.dict ?? Dict() {
                let name = key.pythonText
                let path = "\(target)/\(name.split(separator: ".").joined(separator: "/"))"
                let version = all.first { $0.fullName == name }?.version ?? GalaxyPaths.collectionVersion(path)
                let wanted = range.pythonText
                if let version, VersionRange(wanted).contains(version) { continue }
                Output.printError(
                    Diagnostic(
                        "\(one.fullName):\(one.version) needs \(name):\(wanted), and "
                            + (version.map { "\(name):\($0) is what there is" } ?? "it is not there"),
                        hint: "install it from its address, too", severity: .warning).shown)
            }
        }
    }

    private func forgiving(_ body: () throws -> Void) throws {
        do { try body() } catch let failure as CommandFailure {
            guard arguments.ignoreErrors else { throw failure }
            Output.printError(failure.description)
        }
    }

    // MARK: What was fetched

    private func collections(of source: GalaxySource, in folder: String) throws -> [Fetched] {
        var root = try fetch(source, folder)
        if let part = source.subfolder {
            root += "/\(part)"
            guard !part.split(separator: "/").contains(".."), Disk.kind(root) == .folder else {
                throw source.failure("it has no folder '\(part)'")
            }
        }
        let names = ["MANIFEST.json", "galaxy.yml", "galaxy.yaml"]
        func isCollection(_ path: String) -> Bool { names.contains { Disk.kind("\(path)/\($0)") == .file } }
        if isCollection(root), !source.isNest {
            var one = try read(root, source)
            let files = [source.address, GalaxyRun.tarball(in: folder)]
            one.tarball = source.isGit ? nil : files.first { Disk.kind($0) == .file }
            return [one]
        }
        let inner = source.isBuilt ? Disk.names(root).map { "\(root)/\($0)" }.filter(isCollection) : []
        guard !inner.isEmpty else {
            throw source.failure("this is no collection: it has neither MANIFEST.json nor galaxy.yml")
        }
        return try inner.map { try read($0, source) }
    }

    private func read(_ root: String, _ source: GalaxySource) throws -> Fetched {
        let info = try information(of: root, source)
        guard let space = info["namespace"]?.text, let name = info["name"]?.text,
            [space, name].allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } })
        else { throw source.failure("it does not say its namespace and name") }
        let found = Fetched(root: root, source: source, information: info, name: name, space: space)
        if !source.isGit, let wanted = source.version, !VersionRange(wanted).contains(found.version) {
            throw source.failure("its version is \(found.version), expected \(wanted)")
        }
        return found
    }

    /// What the collection says of itself; the files of a built one must be those that its manifest lists.
    private func information(of root: String, _ source: GalaxySource) throws -> Value {
        guard !source.isBuilt, Disk.kind("\(root)/MANIFEST.json") == .file else {
            if let value = try CollectionManifest.description(in: root) { return value }
            guard let bytes = try Disk.contents("\(root)/MANIFEST.json") else { return .null }
            return try Value(json: String(decoding: bytes, as: UTF8.self))["collection_info"] ?? .null
        }
        let (manifest, wrong) = try CollectionManifest.verified(root)
        if let first = wrong.first { throw source.failure("'\(first)' is not what its manifest says") }
        return manifest["collection_info"] ?? .null
    }

    // MARK: Placing

    private func place(_ one: Fetched, in target: String) throws {
        let path = "\(target)/\(one.space)/\(one.name)"
        let title = "\(one.fullName):\(one.version)"
        Output.print("Installing '\(title)' to '\(path)'")
        var root = one.root
        let isBuilt = one.source.isBuilt && Disk.kind("\(root)/MANIFEST.json") == nil
        if isBuilt {
            let built = try CollectionManifest(of: root, one.information)
            try built.move(from: root, to: "\(root).built", machine)
            root += ".built"
        }
        try Output.makeFolders("\(target)/\(one.space)")
        try CommandFailure.attempt { () throws(MachineError) in
            try machine.remove(path)
            try machine.rename(root, to: path)
        }
        if isBuilt { Output.print("Created collection for \(title) at \(path)") }
        Output.print("\(title) was installed successfully")
    }
}
