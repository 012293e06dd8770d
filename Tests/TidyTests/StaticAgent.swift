import Glibc
import Machine
import Testing

/// Static glibc must never load NSS: its calls would need the very libraries that a node may not have.
@Suite struct StaticAgent {
    static let calls = [
        "getaddrinfo", "gethostbyname", "gethostbyname2", "gethostbyaddr", "getnameinfo", "getservbyname", "getpwnam",
        "getpwnam_r", "getpwuid", "getpwuid_r", "getpwent", "getgrnam", "getgrnam_r", "getgrgid", "getgrgid_r",
        "getgrent", "getgrouplist", "initgroups", "dlopen",
    ]

    /// What only parts of Swift's library define that would make the agent a twentieth larger each: regular
    /// expressions, with the search in text that goes with them, and tasks. See `StringSearch.swift`.
    static let parts = ["_StringProcessing", "_RegexParser", "ContinuousClock", "swift_task_", "swift_continuation_"]

    /// All targets that are linked into the agent: what its row allows, and what those rows allow.
    static let linked: [String] = {
        var found: Set = ["gantry-agent"]
        var isGrowing = true
        while isGrowing {
            let next = layers.filter { found.contains($0.target) }.reduce(found) { $0.union($1.imports) }
            isGrowing = next != found
            found = next
        }
        return found.sorted()
    }()

    @Test func sourcesCallNoNSS() throws {
        for target in Self.linked {
            for path in try SourceTree.files(below: "Sources/\(target)") {
                for (index, line) in try SourceTree.lines(path).enumerated() {
                    for call in Self.calls where isCall(call, line) {
                        Issue.record("\(path):\(index + 1) calls \(call)")
                    }
                }
            }
        }
    }

    /// The same of what the compiler made of them, wherever these tests were built.
    @Test func objectsNeedNeitherNSSNorLargeParts() throws {
        let machine = LinuxMachine()
        var size = 0
        for target in Self.linked {
            let folder = "\(buildFolder)/\(target).build"
            for name in try machine.names(in: folder) ?? [] where name.hasSuffix(".o") {
                let bytes = try machine.contents(of: "\(folder)/\(name)") ?? []
                size += bytes.count
                let needed = undefinedSymbols(of: bytes).filter { symbol in
                    Self.calls.contains(symbol) || Self.parts.contains { symbol.contains($0) }
                }
                #expect(needed.isEmpty, "\(target)/\(name) needs \(needed.sorted().joined(separator: ", "))")
            }
        }
        #expect(size > 100_000, "no object files in \(buildFolder)")
    }

    private var buildFolder: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The folder of the test program, or of the package's own when a helper of the toolchain runs it.
        if path.hasPrefix(SourceTree.root) { return path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } }
        return "\(SourceTree.root)/.build/debug"
    }

    private func isCall(_ call: String, _ line: String) -> Bool {
        guard let range = line.range(of: call + "(") else { return false }
        guard !line.drop(while: { $0 == " " }).hasPrefix("//") else { return false }
        guard range.lowerBound > line.startIndex else { return true }
        let before = line[line.index(before: range.lowerBound)]
        return !before.isLetter && before != "_"
    }

    /// Names of the undefined symbols of a 64-bit little-endian ELF object.
    private func undefinedSymbols(of bytes: [UInt8]) -> Set<String> {
        func number(_ offset: Int, _ width: Int) -> Int {
            guard offset >= 0, offset + width <= bytes.count else { return 0 }
            return (0..<width).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return [] }
        let sections = number(0x28, 8)
        var found: Set<String> = []
        // More sections than two bytes count: the number is in the first header.
        let count = number(0x3c, 2) > 0 || sections == 0 ? number(0x3c, 2) : number(sections + 0x20, 8)
        for index in 0..<count {
            let header = sections + index * 64
            // SHT_SYMTAB
            guard number(header + 4, 4) == 2 else { continue }
            let strings = number(sections + number(header + 40, 4) * 64 + 24, 8)
            let table = number(header + 24, 8)
            let end = table + number(header + 32, 8)
            for entry in stride(from: table, to: end, by: 24) where number(entry + 6, 2) == 0 {
                let start = strings + number(entry, 4)
                guard start < bytes.count else { continue }
                found.insert(String(decoding: bytes[start...].prefix { $0 != 0 }, as: UTF8.self))
            }
        }
        return found
    }
}
