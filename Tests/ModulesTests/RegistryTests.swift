import Modules
import Testing
import Values

@Suite struct RegistryTests {
    /// The file family; each registered module outside it is proven where it is at home.
    private static let proven = [
        "blockinfile", "copy", "file", "find", "lineinfile", "replace", "slurp", "stat", "tempfile", "template",
    ]

    @Test(arguments: proven) func everyModuleHasCases(_ name: String) {
        #expect(Registry.entry(name) != nil)
        #expect(ModuleCase.all.contains { $0.module == name }, "Cases/\(name).yml is missing")
    }

    @Test(arguments: Registry.all.map(\.name)) func everyModuleIsDocumented(_ name: String) throws {
        let entry = try #require(Registry.entry(name))
        #expect(entry.summary.hasSuffix("."))
        for parameter in entry.parameters {
            #expect([".", "…"].contains(parameter.summary.suffix(1)), "\(parameter.name)")
        }
        if entry.kind != .directive { #expect(!entry.options.examples.isEmpty, "there is no example") }
    }

    @Test func casesNameModulesThatExist() {
        for given in ModuleCase.all { #expect(Registry.entry(given.module) != nil, "\(given.module)") }
        #expect(ModuleCase.all.count > 90)
    }
}
