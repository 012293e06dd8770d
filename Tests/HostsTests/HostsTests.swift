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
        expectEqual(text + "\n", try one.expected("list.json"))
    }

    @Test(arguments: caseNames("Cases"))
    func exportsAsAnsible(_ name: String) throws {
        let one = try Case(name, export: true)
        expectEqual(try yamlText(one.inventory.tree(one.listing)), try one.expected("export.yml"))
    }

    @Test(arguments: caseNames("Cases"))
    func drawsAsAnsible(_ name: String) throws {
        let one = try Case(name)
        let text = try one.inventory.graphText(showVariables: true, one.listing)
        expectEqual(text + "\n", try one.expected("graph.txt"))
    }

    @Test(arguments: caseNames("Cases").filter { caseText("Cases/\($0)/hosts.txt") != nil })
    func selectsAsAnsible(_ name: String) throws {
        let one = try Case(name)
        var out = ""
        for line in try one.expected("patterns").split(separator: "\n") {
            let parts = line.split(separator: "\t").map(String.init)
            let limit = parts.count > 1 ? parts[1].replacing("@", with: "@" + casePath("Cases/\(name)/")) : nil
            let hosts =
                (try? one.inventory.select(parts[0], limit: limit).hosts) ?? ["error"]
            out += line + "\t=> " + hosts.joined(separator: " ") + "\n"
        }
        expectEqual(out, try one.expected("hosts.txt"))
    }
}

/// Records the first line that differs, with the two before it.
private func expectEqual(_ text: String, _ expected: String) {
    if text == expected { return }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let common = zip(lines, wanted).enumerated()
    let at = common.first { $0.element.0 != $0.element.1 }?.offset ?? min(lines.count, wanted.count)
    func line(_ lines: [Substring], _ index: Int) -> Substring {
        lines.indices.contains(index) ? lines[index] : "(end)"
    }
    let before = lines[max(0, at - 2)..<at].joined(separator: "\n")
    Issue.record("line \(at + 1):\n\(before)\n  is \(line(lines, at))\n  not \(line(wanted, at))")
}

/// Mistakes in inventories, with the exact text of what a person sees; `GANTRY_REGENERATE=1` writes it anew.
@Suite struct InventoryErrorTests {
    @Test(arguments: caseNames("Errors"))
    func explainsMistakes(_ name: String) throws {
        let folder = casePath("Errors/\(name)/")
        let sources = try #require(caseText("Errors/\(name)/sources")).split(separator: "\n")
        var diagnostics: [Diagnostic]
        do throws(Diagnostics) {
            let (inventory, warnings) = try Inventory.load(sources.map { folder + $0 })
            diagnostics = warnings
            for host in inventory.hosts { _ = try inventory.variables(of: host) }
        } catch { diagnostics = error.all }
        // Files are shown relative to where the tests run.
        var shorter = folder
        if let path = unsafe getcwd(nil, 0) {
            shorter = String(folder.dropFirst(unsafe strlen(path) + 1))
            unsafe free(path)
        }
        var out = diagnostics.map { $0.rendered + "\n" }.joined()
        for prefix in [folder, shorter] { out = out.replacing(prefix, with: "") }
        #expect(matchesCase("Errors/\(name)/errors.txt", out), "\(out)")
    }

    @Test func warnsOfWhatMatchesNothing() throws {
        let (inventory, _) = try Inventory.load(["web01,web02,database,"])
        let (hosts, warnings) = try inventory.select("databse:web01")
        #expect(hosts == ["web01"])
        #expect(
            warnings.map(\.rendered) == [
                "warning: Could not match supplied host pattern, ignoring: databse\n  did you mean 'database'?"
            ])
        #expect(throws: Diagnostics.self) { try inventory.select("~(") }
        #expect(throws: Diagnostics.self) { try inventory.select("all", limit: "@/does/not/exist") }
    }

    @Test func oneBadSourceIsAWarning() throws {
        let (inventory, warnings) = try Inventory.load(["a,b,", "/does/not/exist"])
        #expect(inventory.hosts == ["a", "b"])
        #expect(warnings.count == 1 && warnings[0].severity == .warning)
        var options = InventoryOptions()
        options.anyUnparsedIsFailed = true
        #expect(throws: Diagnostics.self) { try Inventory.load(["a,b,", "/does/not/exist"], options: options) }
        let none = try Inventory.load([])
        #expect(none.inventory.hosts.isEmpty && none.warnings.count == 1)
        #expect(try none.inventory.select("localhost").hosts == ["localhost"])
        #expect(try none.inventory.variables(of: "localhost")["ansible_connection"] == "local")
    }
}

@Suite struct InventoryChangeTests {
    @Test func growsDuringARun() throws {
        var (inventory, _) = try Inventory.load(["a,b,"])
        let changes = [
            inventory.add(host: "c", groups: ["new"], variables: ["x": 1]),
            inventory.add(host: "c", groups: ["new"], variables: ["x": 1]),
            inventory.add(group: "debian", parents: ["os"], host: "a"),
        ]
        #expect(changes == [true, false, true])
        #expect(inventory.groups["new"] == ["c"])
        #expect(inventory.groups["os"] == ["a"])
        #expect(inventory.groups["ungrouped"] == ["b"])
        #expect(inventory.groupNames(of: "a") == ["debian", "os"])
        #expect(try inventory.variables(of: "c")["x"] == 1)
        #expect(inventory.hosts == ["c", "b", "a"])
    }

    @Test func secretsAndTemplatesAreMarked() throws {
        var options = InventoryOptions()
        options.decrypt = { (text: Text) throws(Diagnostic) -> Text in
            Text(text.string.contains("6162") ? "a: '{{ b }}'\nc: x\n" : "plain {{ d }}")
        }
        let (inventory, _) = try Inventory.load([casePath("Errors/vars-vault/hosts")], options: options)
        let dict = try inventory.variables(of: "h1")
        guard case .string(let text)? = dict["a"], case .string(let other)? = dict["c"] else {
            Issue.record("no strings in \(dict)")
            return
        }
        #expect(text.isTemplate && text.isSecret && other.isSecret && !other.isTemplate)
        let (plain, _) = try Inventory.load([casePath("Cases/ini/hosts")])
        guard case .string(let template)? = try plain.variables(of: "types")["template"] else { return }
        #expect(template.isTemplate)
        #expect(template.place.map { $0.line } == 4)
    }
}
