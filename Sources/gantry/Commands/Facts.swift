import ArgumentParser
import Controller
import Playbooks
import Synchronization
import Values
import Wire

/// `gantry facts`: what is known of hosts.
struct Facts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the facts of hosts.",
        discussion: """
            Examples:
              gantry facts all -i Inventory/hxn.yml --filter 'ansible_distribution*'
              gantry facts hxn-01 --gather-subset network > hxn-01.json
            """)

    @Argument(help: "Which hosts.")
    var pattern: String = "all"

    @Option(help: "Only facts whose names match; may hold * and ?.")
    var filter: [String] = []

    @Option(name: .customLong("gather-subset"), help: "Which families: all, min, network, hardware, virtual, or !one.")
    var subset: [String] = []

    @OptionGroup(title: "Hosts and variables") var inventory: InventoryArguments
    @OptionGroup(title: "Connection") var connection: ConnectionArguments
    @OptionGroup(title: "Becoming another user") var become: BecomeArguments

    func run() async throws {
        let project = try Project(inventory)
        _ = try project.selected(pattern)
        var arguments = Dict()
        if !filter.isEmpty { arguments["filter"] = .strings(filter) }
        if !subset.isEmpty {
            arguments["gather_subset"] = .strings(subset.flatMap { $0.split(separator: ",").map(String.init) })
        }
        let play = try AdHocPlay.play(
            pattern: pattern, module: "setup", arguments: arguments, folder: ".", project: project)
        let sink = FactSink()
        let setup = RunSetup(
            project: project, plays: [play], settings: RunSettings(), connection: connection, become: become,
            forks: nil, sink: sink, warnings: [])
        let status = try await setup.run()
        Output.print(Value.dict(sink.facts).json(JSONStyle(indent: 4, sortKeys: true, asciiOnly: false)))
        if status != 0 { throw ExitCode(status) }
    }
}

/// Collects facts by host; failures go to standard error.
private final class FactSink: EventSink {
    private let collected = Mutex(Dict())
    var facts: Dict { collected.withLock { $0 } }

    func show(_ event: RunEvent) {
        switch event {
        case .result(let host, _, let result):
            if let facts = result.result["ansible_facts"] {
                collected.withLock { $0[host] = facts }
            } else if result.status == .failed || result.status == .unreachable {
                Output.printError("\(host): \(result.result["msg"]?.pythonText ?? result.status.rawValue)")
            }
        case .message(let host, let diagnostic):
            Output.printError(diagnostic.shown(on: host))
        default: break
        }
    }
}
