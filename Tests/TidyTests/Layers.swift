import Testing

/// Which target may import which: a layer imports only layers below it.
struct LayerRow: Sendable, CustomTestStringConvertible {
    let target: String
    let imports: Set<String>
    var testDescription: String { target }

    init(_ target: String, _ imports: Set<String>) {
        self.target = target
        self.imports = imports
    }
}

/// The table of `ARCHITECTURE.md` in the form that is enforced.
let layers: [LayerRow] = [
    LayerRow("Values", ["OrderedCollections"]),
    LayerRow("Patterns", ["CPCRE2", "Values"]),
    LayerRow("Crypto", ["COpenSSL", "Values"]),
    LayerRow("YAML", ["CYAML", "Values"]),
    LayerRow("Templates", ["Values", "Patterns", "Crypto", "YAML"]),
    LayerRow("Wire", ["Values"]),
    LayerRow("Machine", ["CMachine", "Values"]),
    LayerRow("MachineFakes", ["Values", "Machine"]),
    LayerRow("HTTP", ["CZlib", "Values", "Crypto"]),
    LayerRow("Modules", ["Values", "Machine", "Wire", "Crypto", "HTTP", "Patterns"]),
    LayerRow("Hosts", ["Values", "YAML", "Crypto", "Patterns", "Templates", "OrderedCollections"]),
    LayerRow("Playbooks", ["Values", "YAML", "Templates", "Modules", "Hosts", "Wire", "Crypto"]),
    LayerRow("Engine", ["Values", "Templates", "Modules", "Machine", "Wire", "Crypto", "YAML", "Patterns"]),
    LayerRow("SSH", ["CLibSSH2", "Values", "Dispatch"]),
    LayerRow(
        "Controller",
        [
            "Values", "YAML", "Templates", "Wire", "Machine", "Modules", "Hosts", "Playbooks", "Engine", "SSH",
            "Crypto",
        ]),
    LayerRow(
        "gantry",
        [
            "Values", "YAML", "Templates", "Wire", "Machine", "Modules", "Hosts", "Playbooks", "Controller", "Engine",
            "SSH", "Crypto", "HTTP", "Patterns", "ArgumentParser", "Foundation",
        ]),
    LayerRow(
        "gantry-agent",
        ["Values", "Engine", "Modules", "Machine", "Wire", "Crypto", "CProvider", "YAML", "HTTP", "Templates"]),
]

/// Targets without Swift.
let systemTargets: Set = ["CYAML", "CLibSSH2", "COpenSSL", "CPCRE2", "CZlib", "CMachine", "CProvider"]
/// What comes with the toolchain and doubles nothing.
let platform: Set = ["Glibc", "Synchronization", "Dispatch", "OrderedCollections"]

/// C modules: the only target that imports each, and in how many files at most.
let foreign: [(module: String, target: String, files: Int)] = [
    ("CYAML", "YAML", 2), ("CLibSSH2", "SSH", 4), ("COpenSSL", "Crypto", 4), ("CPCRE2", "Patterns", 2),
    ("CZlib", "HTTP", 1),
    ("CMachine", "Machine", 4), ("CProvider", "gantry-agent", 0),
]

@Suite struct Layers {
    @Test func everyTargetHasItsRow() throws {
        #expect(Set(try SourceTree.targets()) == Set(layers.map(\.target)).union(systemTargets))
    }

    @Test(arguments: layers) func importsOnlyWhatIsBelow(_ row: LayerRow) throws {
        for path in try SourceTree.swiftFiles(below: "Sources/\(row.target)") {
            let others = Set(try SourceTree.imports(path)).subtracting(row.imports).subtracting(platform)
            #expect(others.isEmpty, "\(path) imports \(others.sorted().joined(separator: ", "))")
        }
    }

    @Test(arguments: layers) func theManifestAllowsNoMore(_ row: LayerRow) throws {
        let stated = try manifestDependencies(of: row.target)
        let others = stated.subtracting(row.imports)
        #expect(others.isEmpty, "Package.swift gives \(row.target) also \(others.sorted().joined(separator: ", "))")
    }

    @Test func foreignModulesStayInTheirFiles() throws {
        for (module, target, limit) in foreign {
            let paths = try SourceTree.swiftFiles(below: "Sources").filter {
                try SourceTree.imports($0).contains(module)
            }
            let strays = paths.filter { !$0.hasPrefix("Sources/\(target)/") }
            #expect(strays.isEmpty, "\(module) belongs to \(target): \(strays.joined(separator: ", "))")
            #expect(paths.count <= limit, "\(module) in \(paths.count) files, at most \(limit)")
        }
    }

    /// The strings in `dependencies: [...]` of a target in `Package.swift`.
    private func manifestDependencies(of target: String) throws -> Set<String> {
        let manifest = try SourceTree.text("Package.swift")
        let pieces = manifest.split(separator: "arget(", omittingEmptySubsequences: true)
        let piece = pieces.first { piece in
            piece.drop { $0 == " " || $0 == "\n" }.hasPrefix("name: \"\(target)\"")
        }
        guard let piece, let start = piece.range(of: "dependencies: [") else { return [] }
        let list = piece[start.upperBound...].prefix { $0 != "]" }
        // Between quotes is every second piece.
        let words = list.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
        return Set(words.filter { $0.offset % 2 == 1 }.map { String($0.element) })
    }
}

extension StringProtocol {
    /// Where a text occurs first; bytes are compared, which is what a search in sources needs.
    func range(of part: String) -> Range<String.Index>? {
        let wanted = Array(part.utf8)
        var start = startIndex
        while let hit = utf8[start...].firstIndex(of: wanted[0]) {
            if utf8[hit...].starts(with: wanted) { return hit..<utf8.index(hit, offsetBy: wanted.count) }
            start = utf8.index(after: hit)
        }
        return nil
    }
}
