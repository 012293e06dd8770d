import ArgumentParser
import Hosts
import Values
import YAML

/// `gantry inventory`: what the inventory says, as `ansible-inventory` prints it.
struct InventoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inventory", abstract: "Show what the inventory says.",
        discussion: """
            Examples:
              gantry inventory -i Inventory/hxn.yml --graph
              gantry inventory -i Inventory/hxn.yml --host hxn-01 --yaml
              gantry inventory -i Inventory/hxn.yml --list --export --output hosts.json
            """)

    @Argument(help: "For --graph: the group to begin with.")
    var group: String = "all"

    @OptionGroup var inventory: InventoryArguments

    @Flag(help: "All hosts and groups, as JSON.")
    var list = false

    @Option(help: "The variables of one host.")
    var host: String?

    @Flag(help: "The groups as a tree.")
    var graph = false

    @Flag(help: "With --graph: the variables, too.")
    var vars = false

    @Flag(name: [.customShort("y"), .long], help: "YAML instead of JSON.")
    var yaml = false

    @Flag(help: "TOML instead of JSON.")
    var toml = false

    @Flag(help: "With --list: group variables with their groups.")
    var export = false

    @Option(help: "Write to this file.")
    var output: String?

    @Option(help: "A folder of playbooks whose group_vars and host_vars count, too.")
    var playbookDir: String?

    @Flag(help: "Forget what the fact cache holds of the inventory's hosts.")
    var flushCache = false

    func run() throws {
        let modes = [list, host != nil, graph].filter { $0 }.count
        guard modes == 1 else {
            throw CommandFailure(
                Diagnostic(
                    modes == 0
                        ? "No action selected, at least one of --host, --graph or --list needs to be specified."
                        : "Conflicting options used, only one of --host, --graph or --list can be used at the same"
                            + " time."),
                status: 5)
        }
        let project = try Project(inventory)
        project.configuration.announce(verbosity: inventory.verbosity.verbose)
        if flushCache { project.flushFacts() }
        for warning in project.warnings { Output.printError(warning.shown) }
        let exports = export || project.configuration.flag(.inventoryExport)
        // What a host would have in a play of this folder, unless variables are told where they are defined.
        let folders = playbookDir.map { [$0] } ?? (exports || graph ? [] : [Disk.absolute(".")])
        let listing = Inventory.Listing(
            export: exports, limit: project.limit, playbookFolders: folders, keepsSeals: yaml, extra: project.extra)
        let text: String
        do throws(Diagnostics) {
            if let host {
                text = try written(project.inventory.show(host: host, listing))
            } else if graph {
                text = try project.inventory.graphText(group, showVariables: vars, listing)
            } else if toml, !yaml {
                text = String(tomlText(try project.inventory.tables(listing)).dropLast())
            } else {
                text = try written(yaml ? project.inventory.tree(listing) : project.inventory.list(listing))
            }
        } catch { throw CommandFailure(error.all, status: host != nil || graph ? 5 : 1) }
        if let output { try Output.write(text + "\n", to: output) } else { Output.print(text) }
    }

    private func written(_ value: Value) throws(Diagnostics) -> String {
        guard yaml else { return value.json(JSONStyle(indent: 4, sortKeys: true, asciiOnly: false)) }
        do throws(Diagnostic) {
            return String(try yamlText(value).reversed().drop { $0 == "\n" }.reversed())
        } catch { throw Diagnostics([error]) }
    }
}
