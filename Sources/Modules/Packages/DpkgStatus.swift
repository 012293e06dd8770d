import Machine
import Values

/// dpkg's record of one package.
struct DpkgPackage: Sendable, Hashable {
    var name = ""
    var architecture = ""
    var version = ""
    /// `installed`, `config-files`, `not-installed`, `half-configured`, …
    var state = ""
    /// `install`, `hold`, `deinstall`, `purge`.
    var selection = ""
    /// Names of virtual packages.
    var provides: [String] = []

    var isInstalled: Bool { state == "installed" }
    /// Purging would remove something although the package is gone.
    var leavesFiles: Bool { state != "not-installed" && !state.isEmpty }
}

/// dpkg's database, read without starting a program.
struct DpkgStatus: Sendable {
    private(set) var packages: [String: [DpkgPackage]] = [:]
    /// Names of virtual packages that something installed provides.
    private(set) var provided: Set<String> = []
    /// The architecture of dpkg itself.
    private(set) var architecture = ""

    static let path = "/var/lib/dpkg/status"

    /// `nil` where there is no dpkg.
    init?(on machine: some MachineReader) throws(MachineError) {
        guard let bytes = try machine.contents(of: Self.path) else { return nil }
        self.init(bytes)
    }

    init(_ bytes: [UInt8]) {
        var package = DpkgPackage()
        for fields in Deb822.fields(bytes, ["Package", "Status", "Version", "Architecture", "Provides"]) {
            guard let (name, value) = fields else {
                add(package)
                package = DpkgPackage()
                continue
            }
            switch name {
            case "Package": package.name = value
            case "Version": package.version = value
            case "Architecture": package.architecture = value
            case "Status":
                let words = value.split(separator: " ")
                package.selection = words.first.map(String.init) ?? ""
                package.state = words.last.map(String.init) ?? ""
            default:
                package.provides = value.split(separator: ",").map { entry in
                    String(entry.trimmed.prefix { $0 != " " && $0 != "(" && $0 != ":" })
                }
            }
        }
        add(package)
        architecture = packages["dpkg"]?.first?.architecture ?? ""
    }

    private mutating func add(_ package: DpkgPackage) {
        guard !package.name.isEmpty else { return }
        packages[package.name, default: []].append(package)
        if package.isInstalled { provided.formUnion(package.provides) }
    }

    /// The record of one package in the text of the database; the others are not read.
    static func package(_ name: String, in bytes: [UInt8]) -> DpkgPackage? {
        let head = Array("Package: \(name)\n".utf8)
        guard let start = bytes.firstPlace(of: [10] + head).map({ $0 + 1 }) ?? (bytes.starts(with: head) ? 0 : nil)
        else { return nil }
        let rest = Array(bytes[start...].prefix(1 << 16))
        return DpkgStatus(Array(rest[..<(rest.firstPlace(of: [10, 10]) ?? rest.count)])).packages[name]?.first
    }

    var names: [String] { packages.keys.sorted() }

    /// The package named `name` or `name:architecture`; without an architecture the node's own is preferred.
    subscript(_ name: String) -> DpkgPackage? {
        let halves = name.split(separator: ":", maxSplits: 1).map(String.init)
        guard let first = halves.first, let found = packages[first] else { return nil }
        if halves.count > 1, halves[1] != "any" {
            let wanted = halves[1] == "native" ? architecture : halves[1]
            return found.first { $0.architecture == wanted || $0.architecture == "all" && wanted == architecture }
        }
        return found.first { $0.isInstalled && ($0.architecture == architecture || $0.architecture == "all") }
            ?? found.first { $0.architecture == architecture || $0.architecture == "all" }
    }
}

/// Packages that apt installed only because others need them.
struct AptMarks: Sendable {
    private var automatic: Set<String> = []

    init(on machine: some MachineReader) throws(MachineError) {
        guard let bytes = try machine.contents(of: "/var/lib/apt/extended_states") else { return }
        var name = ""
        for field in Deb822.fields(bytes, ["Package", "Auto-Installed"]) {
            switch field {
            case .some(("Package", let value)): name = value
            case .some((_, "1")): automatic.insert(name)
            default: break
            }
        }
    }

    func isAutomatic(_ name: String) -> Bool { automatic.contains(String(name.prefix { $0 != ":" })) }
}

/// Text in paragraphs of `Name: value` lines, as Debian's control files are.
enum Deb822 {
    /// The fields named, in order; `nil` where a paragraph ends. Only first lines of values.
    static func fields(_ bytes: [UInt8], _ wanted: [String]) -> [(name: String, value: String)?] {
        let names = wanted.map { (name: $0, bytes: Array($0.utf8)) }
        var found: [(name: String, value: String)?] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
            defer { start = end + 1 }
            if end == start {
                found.append(nil)
                continue
            }
            for (name, prefix) in names
            where end - start > prefix.count && bytes[start] == prefix[0] && bytes[start + prefix.count] == 58
                && bytes[start...].starts(with: prefix)
            {
                let value = String(decoding: bytes[(start + prefix.count + 1)..<end], as: UTF8.self).trimmed
                found.append((name, value))
            }
        }
        return found
    }
}
