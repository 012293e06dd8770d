import Machine

/// The repository as these tests read it: plain text files.
enum SourceTree {
    /// The repository's folder.
    static let root: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    /// A text file, by its path from the root; empty when it is not there.
    static func text(_ path: String) throws -> String { try LinuxMachine().text(of: "\(root)/\(path)") ?? "" }

    /// Files below a folder, as paths from the root, sorted; hidden ones and what was built are left out.
    static func files(below folder: String) throws -> [String] {
        let machine = LinuxMachine()
        var found: [String] = []
        for name in try machine.names(in: "\(root)/\(folder)") ?? [] where !name.hasPrefix(".") {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if try machine.status(of: "\(root)/\(path)", followingLinks: true)?.kind == .folder {
                found += try files(below: path)
            } else {
                found.append(path)
            }
        }
        return found.sorted()
    }

    static func swiftFiles(below folder: String) throws -> [String] {
        try files(below: folder).filter { $0.hasSuffix(".swift") }
    }

    static func lines(_ path: String) throws -> [String] {
        try text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Names of the targets below `Sources`.
    static func targets() throws -> [String] {
        try LinuxMachine().names(in: "\(root)/Sources")?.filter { !$0.hasPrefix(".") }.sorted() ?? []
    }

    /// Modules that a Swift file imports, with any access level and attributes.
    static func imports(_ path: String) throws -> [String] {
        try lines(path).compactMap { line in
            // Indented ones are in the text of other languages.
            if line.hasPrefix(" ") { return nil }
            var words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index + 1 < words.count else { return nil }
            let isImport = words[..<index].allSatisfy { $0.hasPrefix("@") || accessLevels.contains(String($0)) }
            guard isImport else { return nil }
            words.removeSubrange(...index)
            if words.count > 1, importKinds.contains(String(words[0])) { words.removeFirst() }
            return words[0].split(separator: ".").first.map(String.init)
        }
    }

    private static let accessLevels: Set = ["public", "package", "internal", "fileprivate", "private"]
    private static let importKinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
}
