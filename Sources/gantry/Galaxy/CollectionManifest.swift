import Crypto
import Glibc
import Machine
import Patterns
import Playbooks
import Values

/// What is in a collection that is made from a folder: `MANIFEST.json` and `FILES.json`, and the files they list.
struct CollectionManifest {
    /// Below the collection's folder, a folder before what is in it.
    private(set) var entries: [(path: String, isFolder: Bool)] = []
    private let ignored: [Pattern]
    private let information: Value

    /// - Parameter information: what `galaxy.yml` says.
    init(of root: String, _ information: Value) throws {
        self.information = information
        let title = "\(information["namespace"]?.text ?? "")-\(information["name"]?.text ?? "")"
        let known = [
            "MANIFEST.json", "FILES.json", "galaxy.yml", "galaxy.yaml", ".git", "*.pyc", "*.retry", "tests/output",
            "\(title)-*.tar.gz",
        ]
        let given = (information["build_ignore"]?.list ?? []).compactMap(\.text)
        ignored = (known + given).compactMap { try? Pattern(glob: $0) }
        walk(root, "")
    }

    private static let versionFolders: Set = ["CVS", ".bzr", ".hg", ".git", ".svn", "__pycache__", ".tox"]

    private mutating func walk(_ root: String, _ folder: String) {
        for name in Disk.names(root + folder.prefixed) {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if ignored.contains(where: { (try? $0.matchesWhole(path)) ?? false }) { continue }
            let full = "\(root)/\(path)"
            switch Disk.kind(full) {
            case .file: entries.append((path, false))
            // A link to a folder may lead back to where it is.
            case .folder where !Self.versionFolders.contains(name) && Disk.target(full) == nil:
                entries.append((path, true))
                walk(root, path)
            default: break
            }
        }
    }

    // MARK: The two files

    private static func digestEntry(_ name: String, _ bytes: [UInt8]?) -> Value {
        [
            "name": .string(name), "ftype": bytes == nil ? "dir" : "file",
            "chksum_type": bytes == nil ? .null : "sha256",
            "chksum_sha256": bytes.map { .string(DigestAlgorithm.sha256.hex(of: $0)) } ?? .null, "format": 1,
        ]
    }

    /// `FILES.json`.
    func listing(of root: String) throws -> [UInt8] {
        var rows = [Self.digestEntry(".", nil)]
        for (path, isFolder) in entries {
            rows.append(Self.digestEntry(path, isFolder ? nil : try Disk.contents("\(root)/\(path)") ?? []))
        }
        let value: Value = ["files": .list(rows), "format": 1]
        return Array(value.json(JSONStyle(indent: 1)).utf8)
    }

    /// `MANIFEST.json`.
    func manifest(listing: [UInt8]) -> [UInt8] {
        var info = Dict()
        for key in ["namespace", "name", "version"] { info[.string(Text(key))] = information[key] ?? .null }
        info["authors"] = words("authors")
        info["readme"] = information["readme"] ?? .null
        info["tags"] = words("tags")
        info["description"] = information["description"] ?? .null
        info["license"] = words("license")
        info["license_file"] = information["license_file"] ?? .null
        info["dependencies"] = information["dependencies"]?.dict.map { .dict($0) } ?? .dict(Dict())
        for key in ["repository", "documentation", "homepage", "issues"] {
            info[.string(Text(key))] = information[key] ?? .null
        }
        let value: Value = [
            "collection_info": .dict(info), "file_manifest_file": Self.digestEntry("FILES.json", listing), "format": 1,
        ]
        return Array(value.json(JSONStyle(indent: 1)).utf8)
    }

    private func words(_ key: String) -> Value {
        switch information[key] {
        case nil, .null?: .list([])
        case .list(let list)?: .list(list)
        case let one?: .list([one])
        }
    }

    /// Moves what is listed into a new folder, with the two files.
    func move(from root: String, to target: String, _ machine: LinuxMachine) throws {
        let listing = try listing(of: root)
        do throws(MachineError) {
            try machine.makeFolder(target, mode: 0o755)
            for (path, isFolder) in entries {
                if isFolder {
                    try machine.makeFolder("\(target)/\(path)", mode: 0o755)
                } else {
                    try machine.rename("\(root)/\(path)", to: "\(target)/\(path)")
                }
            }
        } catch { throw CommandFailure(Diagnostic(error.message), status: 1) }
        try Output.write(listing, to: "\(target)/FILES.json")
        try Output.write(manifest(listing: listing), to: "\(target)/MANIFEST.json")
    }

    /// A tarball of what is listed, with the two files.
    func pack(_ root: String, into path: String) throws {
        let machine = LinuxMachine()
        let scratch = "\(path).\(getpid())"
        defer { try? machine.remove(scratch) }
        let listing = try listing(of: root)
        try Output.write(listing, to: "\(scratch)/top/FILES.json")
        try Output.write(manifest(listing: listing), to: "\(scratch)/top/MANIFEST.json")
        try Output.write(entries.map(\.path).joined(separator: "\n") + "\n", to: "\(scratch)/names")
        do throws(MachineError) {
            let result = try machine.run(
                Command([
                    "tar", "-c", "-z", "-f", "\(scratch)/tar.gz", "--owner=0", "--group=0", "--numeric-owner",
                    "--no-recursion", "--dereference", "--mode=u+rwX,go+rX,go-w", "-C", "\(scratch)/top",
                    "MANIFEST.json", "FILES.json", "-C", root, "--verbatim-files-from", "-T", "\(scratch)/names",
                ]))
            guard result.status == 0 else { throw MachineError(result.errorText.trimmed) }
            try machine.rename("\(scratch)/tar.gz", to: path)
        } catch { throw CommandFailure(Diagnostic(error.message), status: 1) }
    }

    // MARK: Reading

    /// What `galaxy.yml` says; `nil` without one.
    static func description(in root: String) throws(Diagnostic) -> Value? {
        if let found = try GalaxySource.mapping("\(root)/galaxy.yml") { return found }
        return try GalaxySource.mapping("\(root)/galaxy.yaml")
    }

    /// The manifest of a built collection, and the files that are not what it lists.
    static func verified(_ root: String) throws -> (manifest: Value, wrong: [String]) {
        guard let bytes = try Disk.contents("\(root)/MANIFEST.json") else { return (.null, ["MANIFEST.json"]) }
        let manifest = try Value(json: String(decoding: bytes, as: UTF8.self))
        let listing = try Disk.contents("\(root)/FILES.json") ?? []
        guard manifest["file_manifest_file"]?["chksum_sha256"]?.text == DigestAlgorithm.sha256.hex(of: listing) else {
            return (manifest, ["FILES.json"])
        }
        var wrong: [String] = []
        for entry in try Value(json: String(decoding: listing, as: UTF8.self))["files"]?.list ?? []
        where entry["ftype"]?.text == "file" {
            let name = entry["name"]?.text ?? ""
            let content = name.split(separator: "/").contains("..") ? nil : try Disk.contents("\(root)/\(name)")
            let digest = content.map { DigestAlgorithm.sha256.hex(of: $0) }
            if digest == nil || digest != entry["chksum_sha256"]?.text { wrong.append(name) }
        }
        return (manifest, wrong)
    }
}

extension String {
    fileprivate var prefixed: String { isEmpty ? "" : "/\(self)" }
}
