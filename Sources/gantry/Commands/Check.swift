import ArgumentParser
import Values

/// `gantry check`: reads playbooks and everything static that they name, and contacts nobody.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read playbooks and check them; contact nobody.",
        discussion: """
            Keywords, modules and their parameters, templates, roles, handlers and the files that are named: all errors
            of all playbooks are told together.

            Examples:
              gantry check site.yml
              gantry check -i Inventory/hxn.yml Playbooks/*.yml
            """)

    @Argument(help: "Playbooks.", completion: .file(extensions: ["yml", "yaml"]))
    var playbooks: [String]

    @OptionGroup(title: "Hosts and variables") var inventory: InventoryArguments

    func run() async throws {
        let project = try Project(inventory, needsInventory: false)
        let (plays, warnings, _) = try project.plays(playbooks)
        for warning in project.configuration.warnings + warnings { Output.printError(warning.shown) }
        let files = "\(playbooks.count) playbook\(playbooks.count == 1 ? "" : "s")"
        Output.print("\(files) checked, \(plays.count) play\(plays.count == 1 ? "" : "s"): no errors")
    }
}
