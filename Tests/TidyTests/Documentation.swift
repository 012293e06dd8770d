import Engine
import Machine
import Modules
import Playbooks
import Templates
import Testing

/// The library is documented by its schemas, and the pages are what the schemas say.
@Suite struct Documentation {
    @Test(arguments: Registry.all.map(\.name)) func everyModuleIsDocumented(_ name: String) throws {
        let entry = try #require(Registry.entry(name))
        #expect(!entry.summary.isEmpty)
        #expect(!entry.options.examples.isEmpty, "no example")
        for row in entry.parameters { #expect(!row.summary.isEmpty, "parameter '\(row.name)' has no summary") }
    }

    @Test func everyModuleHasCases() throws {
        var covered: Set<String> = []
        for path in try SourceTree.files(below: "Tests/ModulesTests/Cases") where path.hasSuffix(".yml") {
            covered.insert(String(path.split(separator: "/").last?.dropLast(4) ?? ""))
            for line in try SourceTree.lines(path) where line.hasPrefix("module: ") {
                covered.insert(String(line.dropFirst("module: ".count)))
            }
        }
        // What talks to a server or reads a whole machine has tests in Swift, or on real hosts, instead.
        for path in try SourceTree.swiftFiles(below: "Tests/ModulesTests") {
            let text = try SourceTree.text(path)
            for name in Registry.all.map(\.name) where text.range(of: "\"\(name)\"") != nil { covered.insert(name) }
        }
        for path in try SourceTree.files(below: "Tests/Real") {
            let text = try SourceTree.text(path)
            for name in Registry.all.map(\.name) where text.range(of: "ansible.builtin.\(name):") != nil {
                covered.insert(name)
            }
        }
        // A directive acts on the play: the engine's tests hold its cases.
        let names = Registry.all.filter { $0.kind != .directive }.map(\.name)
        let missing = names.filter { !covered.contains($0) }
        #expect(missing.isEmpty, "no tests in Tests/ModulesTests: \(missing.joined(separator: ", "))")
    }

    @Test func everyModuleFileIsRegistered() throws {
        let registry = try SourceTree.text("Sources/Modules/Registry.swift")
        for path in try SourceTree.swiftFiles(below: "Sources/Modules") {
            for line in try SourceTree.lines(path) {
                guard let type = moduleType(line) else { continue }
                let isThere = registry.range(of: "ModuleEntry(\(type).self") != nil
                #expect(isThere, "\(path): \(type) is not in the registry")
            }
        }
    }

    @Test func theReferencePagesAreFresh() throws {
        let pages = Reference.pages
        for (name, text) in pages {
            let isSame = try SourceTree.text("docs/modules/\(name)") == text
            #expect(isSame, "docs/modules/\(name) is not what the code says: 'make docs' writes it anew")
        }
        let there = try SourceTree.files(below: "docs/modules")
        let wanted = Set(pages.map { "docs/modules/\($0.name)" })
        let others = there.filter { !wanted.contains($0) }
        #expect(others.isEmpty, "nothing makes \(others.joined(separator: ", "))")
    }

    @Test func thePagesOfTheLanguageAreFresh() throws {
        let pages = [
            ("filters.md", Filters.page(.filter)), ("tests.md", Filters.page(.test)), ("lookups.md", Lookup.page),
            ("keywords.md", KeywordSummary.page),
        ]
        for (name, text) in pages {
            let isSame = try SourceTree.text("docs/language/\(name)") == text
            #expect(isSame, "docs/language/\(name) is not what the code says: 'make docs' writes it anew")
        }
    }

    @Test(arguments: [PluginKind.filter, .test])
    func everyFilterAndTestIsDocumented(_ kind: PluginKind) {
        let told = Set(Filters.summaries(kind).map(\.name))
        let names = Set(Filters.documentedNames(kind))
        #expect(told == names, "\(told.symmetricDifference(names).sorted())")
    }

    @Test func everyKeywordIsDocumented() {
        let told = Set(KeywordSummary.all.map(\.name)).subtracting(["with_<lookup>"])
        let names = Keywords.play.union(Keywords.block).union(Keywords.handler).union(Keywords.roleEntry)
        #expect(told == names, "\(told.symmetricDifference(names).sorted())")
    }

    @Test func theArchitectureIsAMap() throws {
        let lines = try SourceTree.lines("ARCHITECTURE.md")
        #expect((20..<400).contains(lines.count), "\(lines.count) lines")
        let text = lines.joined(separator: "\n")
        for row in layers { #expect(text.range(of: "`\(row.target)`") != nil, "\(row.target) is not on the map") }
    }

    @Test func continuousIntegrationRunsAllTests() throws {
        let calls = try SourceTree.lines(".ci/run").filter { $0.range(of: "make --no-print-directory test") != nil }
        #expect(calls.count == 1)
    }

    /// `struct X: Resource {` and the like.
    private func moduleType(_ line: String) -> String? {
        let words = line.split { " :,{".contains($0) }.map(String.init)
        guard let index = words.firstIndex(of: "struct"), index + 2 < words.count, index <= 1 else { return nil }
        let isModule = words[(index + 2)...].contains { ["Resource", "Action", "Directive"].contains($0) }
        return isModule ? words[index + 1] : nil
    }
}
