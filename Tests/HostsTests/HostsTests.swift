import Glibc
import Hosts
import Testing
import Values
import YAML

/// What ansible-core 2.19 makes of the folders in `Cases`: written by `regenerate.py`.
@Suite struct HostsTests {
    private struct Case {
        let name: String
        let inventory: Inventory
        let listing: Inventory.Listing

        init(_ name: String, export: Bool = false) throws {
            self.name = name
            let sources = try #require(caseText("Cases/\(name)/sources")).split(separator: "\n").map(String.init)
            var options = InventoryOptions()
            options.mergesHashes = caseText("Cases/\(name)/hash_behaviour") != nil
            inventory = try Inventory.load(
                sources.map { $0.contains(",") ? $0 : casePath("Cases/\(name)/\($0)") }, options: options
            ).inventory
            let playbook = caseText("Cases/\(name)/playbook_dir")?.split(separator: "\n").map(String.init) ?? []
            listing = Inventory.Listing(
                export: export, playbookFolders: playbook.map { casePath("Cases/\(name)/\($0)") })
        }

        func expected(_ file: String) throws -> String { try #require(caseText("Cases/\(name)/\(file)")) }
    }

    @Test(arguments: caseNames("Cases"))
    func listsAsAnsible(_ name: String) throws {
        let one = try Case(name)
        let text = try one.inventory.list(one.listing).json(JSONStyle(indent: 4, sortKeys: true, asciiOnly: false))
        #expect(try text + "\n" == one.expected("list.json"))
    }

    @Test(arguments: caseNames("Cases"))
    func exportsAsAnsible(_ name: String) throws {
        let one = try Case(name, export: true)
        #expect(try yamlText(one.inventory.tree(one.listing)) + "\n" == one.expected("export.yml"))
    }

    @Test(arguments: caseNames("Cases"))
    func drawsAsAnsible(_ name: String) throws {
        let one = try Case(name)
        let text = try one.inventory.graphText(showVariables: true, one.listing)
        #expect(try text + "\n" == one.expected("graph.txt"))
    }

    @Test(arguments: caseNames("Cases").filter { caseText("Cases/\($0)/hosts.txt") != nil })
    func selectsAsAnsible(_ name: String) throws {
        let one = try Case(name)
        chdir(casePath("Cases/\(name)"))
        var out = ""
        for line in try one.expected("patterns").split(separator: "\n") {
            let parts = line.split(separator: "\t").map(String.init)
            let hosts =
                (try? one.inventory.select(parts[0], limit: parts.count > 1 ? parts[1] : nil).hosts) ?? ["error"]
            out += line + "\t=> " + hosts.joined(separator: " ") + "\n"
        }
        #expect(try out == one.expected("hosts.txt"))
    }
}
