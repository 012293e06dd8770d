import Values
import Wire

/// Finds out what there is to tell a node of a file of the controller, or of a folder and all that is in it.
struct FileDescription {
    private let files: any ProjectFiles
    /// Up to this size the content goes along.
    private let limit: Int
    private let kind: FileRequest.Kind
    private let isSealed: Bool
    private let contents: (String) throws(Diagnostic) -> (bytes: [UInt8], isSecret: Bool)

    /// Plain files up to this size travel with the plan: asking for one costs a round trip.
    private static let smallFile = 8 << 10
    /// Templates are needed whether something changes or not.
    private static let smallTemplate = 1 << 20

    /// - Parameter opened: gives the content, out of its vault.
    init(
        _ request: FileRequest, _ files: any ProjectFiles,
        opened: @escaping (String) throws(Diagnostic) -> (bytes: [UInt8], isSecret: Bool)
    ) {
        self.files = files
        kind = request.kind
        limit = kind == .templates || kind == .vars ? Self.smallTemplate : Self.smallFile
        isSealed = request.isSealed
        contents = opened
    }

    func entry(_ path: String, known: inout [String: FileEntry]) -> FileEntry? {
        entry(path, depth: 0, above: [], known: &known)
    }

    /// - Parameters:
    ///   - above: the folders without links that the walk has come through; a link to one of them leads to no more than
    ///     is there anyway, and stays a link.
    ///   - known: files that were described before.
    private func entry(
        _ path: String, depth: Int, above: Set<String>, known: inout [String: FileEntry]
    ) -> FileEntry? {
        // What is named itself is copied as what it points to.
        let target = depth == 0 ? nil : files.target(of: path)
        var above = above
        if target != nil { above.formUnion(folders(above: path, known: above)) }
        let kind = files.kind(of: path)
        let real = kind == .folder ? files.realPath(of: path) : path
        guard depth < 64, let kind, target == nil || !above.contains(real) else {
            return target.map { FileEntry(path: path, digest: "", size: 0, mode: 0o777, target: $0) }
        }
        if kind == .file { return file(path, target, known: &known) }
        above.insert(real)
        var children: [FileEntry] = []
        for name in files.names(in: path).sorted() {
            if let child = entry(joined(path, name), depth: depth + 1, above: above, known: &known) {
                children.append(child)
            }
        }
        return FileEntry(
            path: path, digest: "", size: 0, mode: files.mode(of: path), children: children, target: target)
    }

    private func file(_ path: String, _ target: String?, known: inout [String: FileEntry]) -> FileEntry? {
        if !isSealed, let known = known[path] { return known }
        var entry = FileEntry(path: path, digest: "", size: 0, mode: files.mode(of: path), target: target)
        do throws(Diagnostic) {
            let opened = isSealed ? (bytes: try files.contents(of: path) ?? [], isSecret: false) : try contents(path)
            entry.digest = files.digest(of: opened.bytes)
            entry.size = opened.bytes.count
            entry.contents = opened.bytes.count <= limit ? opened.bytes : nil
            entry.isSecret = opened.isSecret
        } catch {
            entry.problem =
                self.kind == .files && !files.hasVaultSecrets && isVault(path)
                ? "A vault password or secret must be specified to decrypt \(path)" : error.message
            return entry
        }
        if !isSealed { known[path] = entry }
        return entry
    }

    private func isVault(_ path: String) -> Bool {
        let bytes = try? files.contents(of: path)
        return bytes?.starts(with: "$ANSIBLE_VAULT;".utf8) ?? false
    }

    /// The folders that a link lies in, up to the first that is known.
    private func folders(above path: String, known: Set<String>) -> [String] {
        var found: [String] = []
        var next = files.realPath(of: folder(of: path))
        while !known.contains(next), found.last != next, next != "." {
            found.append(next)
            next = folder(of: next)
        }
        return found
    }
}
