import ArgumentParser
import Controller
import Hosts
import Modules
import Playbooks
import Values
import Wire

/// `gantry run`: one module, or one command, on many hosts.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run one module or one command on hosts.",
        discussion: """
            Examples:
              gantry run all -i Inventory/hxn.yml -- uptime
              gantry run hxn_cloud -m apt -a "name=jq state=present" -b
              gantry run 'web*:!web-03' -m service -a "name=nginx state=restarted"
            """)

    @Argument(help: "Which hosts: a host, a group, or a pattern.")
    var pattern: String

    @Argument(parsing: .postTerminator, help: "A command with its arguments; no shell reads it.")
    var command: [String] = []

    @Option(name: [.customShort("m"), .long], help: "The module.", completion: .list(Registry.all.map(\.name)))
    var moduleName: String?

    @Option(name: [.customShort("a"), .long], help: "Its arguments: key=value words, JSON, or free text.")
    var args: String?

    @Flag(name: [.customShort("o"), .long], help: "One line for each host.")
    var oneLine = false

    @Flag(help: "List the hosts, and run nothing.")
    var listHosts = false

    @Option(
        name: [.customShort("P"), .long],
        help: ArgumentHelp("Seconds between looks at a task in the background.", visibility: .hidden))
    var poll: Int?

    @Option(help: "Act as if a playbook were in this folder.")
    var playbookDir: String?

    @OptionGroup(title: "Hosts and variables") var inventory: InventoryArguments
    @OptionGroup(title: "The run") var runOptions: RunArguments
    @OptionGroup(title: "Connection") var connection: ConnectionArguments
    @OptionGroup(title: "Becoming another user") var become: BecomeArguments

    func run() async throws {
        let project = try Project(inventory)
        let selected = try project.selected(pattern)
        if listHosts {
            Output.print("  hosts (\(selected.count)):")
            for host in selected { Output.print("    \(host)") }
            return
        }
        let (module, arguments) = try call()
        let configuration = project.configuration
        let verbosity = max(inventory.verbosity.verbose, configuration.number(.verbosity) ?? 0)
        let play = try AdHocPlay.play(
            pattern: pattern, module: module, arguments: arguments, folder: playbookDir ?? ".", project: project)
        var settings = RunSettings()
        settings.checkMode = runOptions.check
        settings.diffMode = runOptions.diff
        settings.verbosity = verbosity
        let sink = try display(settings, configuration)
        let changes = ChangeWatch()
        let setup = RunSetup(
            project: project, plays: [play], settings: settings, connection: connection, become: become,
            forks: runOptions.forks, sink: changes.watching(sink), warnings: [])
        let status = try await setup.run()
        if status == 0, runOptions.check, runOptions.detailedExitcode, changes.hasChanges { throw ExitCode(3) }
        if status != 0 { throw ExitCode(status) }
    }

    private func display(_ settings: RunSettings, _ configuration: Configuration) throws -> any EventSink {
        if runOptions.output == .json { return JSONDisplay() }
        var options = DisplayOptions(configuration, verbosity: settings.verbosity)
        options.checkMode = settings.checkMode
        options.diffMode = settings.diffMode
        var stdout: StdoutCallback = oneLine ? .oneline : .minimal
        var enabled: [EnabledCallback] = []
        if configuration.flag(.adHocCallbacks) {
            let choice = try CallbackChoice(configuration)
            if !oneLine, configuration.origin(.stdoutCallback).origin != "default" { stdout = choice.stdout }
            enabled = choice.enabled
        }
        return Callbacks(stdout: stdout, enabled: enabled, configuration, options)
    }

    /// The module with its arguments: what stands behind `--` is a command.
    private func call() throws -> (String, Dict) {
        if !command.isEmpty {
            guard moduleName == nil, args == nil else {
                throw CommandFailure(
                    Diagnostic("give a command behind '--', or a module with -m and -a, not both"), status: 5)
            }
            return ("command", ["argv": .strings(command)])
        }
        let module = moduleName ?? "command"
        guard let entry = Registry.entry(module) else {
            throw CommandFailure(
                Diagnostic(
                    "there is no module '\(module)'", hint: suggestion(for: module, among: Registry.all.map(\.name))),
                status: 2)
        }
        guard let args, !args.isEmpty else {
            if ["command", "shell", "raw", "script"].contains(entry.name) {
                throw CommandFailure(
                    Diagnostic(
                        "module '\(entry.name)' needs what it is to do",
                        notes: [
                            "gantry run \(pattern) -m \(entry.name) -a 'uptime'", "gantry run \(pattern) -- uptime",
                        ]),
                    status: 5)
            }
            return (entry.name, Dict())
        }
        if args.hasPrefix("{") {
            do {
                if let dict = try Value(json: args).dict { return (entry.name, dict) }
                throw CommandFailure(Diagnostic("the arguments given with -a are no mapping"), status: 1)
            } catch let error as JSONError {
                throw CommandFailure(Diagnostic("the arguments given with -a are not JSON: \(error)"), status: 1)
            }
        }
        return (entry.name, AdHocPlay.arguments(args, entry))
    }
}
