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
    /// A folder of collections, each in a folder of its own.
    var isNest = false
    /// The folder in the repository, as `#/FOLDER` behind its address says.
    var subfolder: String?
    /// The address as it was written, where it names a scheme: told when a tarball is taken from it.
    var url: String?

    /// Why it cannot be installed.
    func failure(_ why: String) -> CommandFailure {
        CommandFailure(Diagnostic("'\(address)' cannot be installed: \(why)"), status: 1)
    }

    /// `[git+]ADDRESS[,VERSION[,NAME]]`.
    init(_ text: String, _ kind: Kind) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
        self.kind = kind
        address = parts[0]
        isGit = false
        version = parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil
        name = parts.count > 2 ? parts[2] : nil
        if let mark = address.firstIndex(of: "#"), kind == .collection {
            subfolder = address[mark...].dropFirst().split(separator: "/").joined(separator: "/")
            address = String(address[..<mark])
        }
        classify()
    }

    init(_ entry: Value, _ kind: Kind) {
        self.init(entry.text ?? entry["src"]?.text ?? entry["source"]?.text ?? entry["name"]?.text ?? "", kind)
        guard case .dict = entry else { return }
        if let given = entry["version"], !given.isNull { version = given.pythonText }
        if entry["src"] != nil || entry["source"] != nil { name = entry["name"]?.text ?? name }
        if entry["scm"]?.text == "git" || entry["type"]?.text == "git" { isGit = true }
        isNest = entry["type"]?.text == "subdirs"
        checksum = entry["checksum"]?.text
    }

    /// The folder that a role gets.
    var roleName: String {
        var stem = address.split(separator: "/").last.map(String.init) ?? "role"
        for ending in [".git", ".tar.gz", ".tgz", ".tar"] where stem.hasSuffix(ending) { stem.removeLast(ending.count) }
        return name ?? stem
    }

    /// Where a folder of this computer, or a repository, is what is installed: it is made into a collection first.
    var isBuilt: Bool { isGit || Disk.kind(address) == .folder }

    /// A tarball that a web server hands out.
    var isOnWeb: Bool { !isGit && (address.hasPrefix("http://") || address.hasPrefix("https://")) }

    private mutating func classify() {
        if address.hasPrefix("git+") {
            address.removeFirst(4)
            isGit = true
        } else if address.hasPrefix("git@") || address.hasSuffix(".git") || address.hasPrefix("git://") {
            isGit = true
        }
        if address.contains("://"), !isGit { url = address }
        if address.hasPrefix("file://"), !isGit { address.removeFirst(7) }
    }

    static func mapping(_ path: String) throws(Diagnostic) -> Value? {
        guard let bytes = try Disk.contents(path) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let (nodes, _) = try YAMLReader.documents(text, file: SourceFile(name: path, text: text))
        return try nodes.first?.value(ValueOptions())
    }
}
