import ArgumentParser
import Controller
import Hosts
import Modules
import Playbooks
import Templates
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
        name: [.customShort("B"), .long],
        help: "Run in the background, and give up after so many seconds.")
    var background: Int?

    @Option(name: [.customShort("P"), .long], help: "With -B: seconds between looks; 0 does not wait.")
    var poll: Int?

    @Option(help: "Seconds after which the task is ended.")
    var taskTimeout: Int?

    @Option(name: [.customShort("t"), .long], help: "Write each host's result into this folder, as JSON.")
    var tree: String?

    @Flag(help: "Forget what the fact cache holds of the inventory's hosts.")
    var flushCache = false

    @Option(help: "Act as if a playbook were in this folder.")
    var playbookDir: String?

    @OptionGroup(title: "Hosts and variables") var inventory: InventoryArguments
    @OptionGroup(title: "The run") var runOptions: RunArguments
    @OptionGroup(title: "Connection") var connection: ConnectionArguments
    @OptionGroup(title: "Becoming another user") var become: BecomeArguments
    @OptionGroup var modulePath: ModulePathArguments

    func run() async throws {
        try modulePath.apply()
        let project = try Project(inventory)
        project.configuration.announce(verbosity: inventory.verbosity.verbose)
        let pattern = try rendered(self.pattern, project)
        let selected = try project.selected(pattern)
        if selected.isEmpty {
            Output.printError(Diagnostic("No hosts matched, nothing to do", severity: .warning).shown)
        }
        if listHosts {
            Output.print("  hosts (\(selected.count)):")
            for host in selected { Output.print("    \(host)") }
            return
        }
        if selected.isEmpty { return }
        if flushCache { project.flushFacts() }
        let (module, arguments, file) = try call(project)
        let configuration = project.configuration
        let verbosity = max(inventory.verbosity.verbose, configuration.number(.verbosity) ?? 0)
        let play = try AdHocPlay.play(
            pattern: pattern, module: module, file: file, arguments: arguments, keywords: keywords,
            folder: Disk.absolute(playbookDir ?? "."), project: project)
        var settings = RunSettings()
        settings.checkMode = runOptions.check
        settings.diffMode = runOptions.diff
        settings.verbosity = verbosity
        settings.allowsBrokenConditions = configuration.flag(.brokenConditions)
        settings.allowsSurrogates = !configuration.flag(.strictUTF8)
        settings.warnsOfUntrusted = configuration.warnsOfUntrusted
        settings.mergesHashes = configuration.string(.hashBehaviour) == "merge"
        let sink = try display(settings, configuration)
        let changes = ChangeWatch()
        let setup = RunSetup(
            project: project, plays: [play], settings: settings, connection: connection, become: become,
            forks: runOptions.forks, sink: changes.watching(written(sink)), warnings: [])
        let status = try await setup.run()
        if status == 0, runOptions.check, runOptions.detailedExitcode, changes.hasChanges { throw ExitCode(3) }
        if status != 0 { throw ExitCode(status) }
    }

    /// Pattern and module may be templates of what `-e` gives.
    private func rendered(_ text: String, _ project: Project) throws -> String {
        guard text.contains("{{") || text.contains("{%") else { return text }
        let place = Place(file: SourceFile(name: "gantry run", text: text), line: 1, column: 1)
        do throws(TemplateError) {
            let template = Text(text, mark: Mark(place: place, isTemplate: true))
            return try project.templater.render(template, in: DictScope(project.extra)).pythonText
        } catch { throw CommandFailure(error.diagnostic, status: 1) }
    }

    private var keywords: Dict {
        var keywords = Dict()
        if let taskTimeout { keywords["timeout"] = .int(taskTimeout) }
        if let background, background > 0 {
            keywords["async"] = .int(background)
            keywords["poll"] = .int(poll ?? 15)
        }
        return keywords
    }

    private func written(_ sink: any EventSink) -> any EventSink {
        tree.map { ResultFiles(folder: $0, inner: sink) } ?? sink
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
    private func call(_ project: Project) throws -> (module: String, arguments: Dict, file: String?) {
        if !command.isEmpty {
            guard moduleName == nil, args == nil else {
                throw CommandFailure(
                    Diagnostic("give a command behind '--', or a module with -m and -a, not both"), status: 5)
            }
            if command.count == 1, command[0].contains(where: { $0 == " " || $0 == "|" || $0 == ";" }) {
                let line = "-m shell -a '\(command[0])'"
                throw CommandFailure(
                    Diagnostic(
                        "'\(command[0])' is one word behind '--', and no shell takes it apart",
                        notes: ["leave the quotes out, or let a shell read it: \(line)"]), status: 5)
            }
            return ("command", ["argv": .strings(command)], nil)
        }
        let module = try rendered(moduleName ?? project.configuration.string(.moduleName), project)
        if Registry.shortName(module) == "import_playbook" {
            throw CommandFailure(Diagnostic("'\(module)' is not a valid action for ad-hoc commands"), status: 5)
        }
        let entry = Registry.entry(module)
        let found = entry != nil ? nil : ForeignModules.file(
            of: module, files: project.files, paths: project.configuration.contentPaths,
            playFolder: playbookDir ?? ".")
        // It is `setup`, and runs others, too.
        let own = Registry.shortName(module) == "gather_facts" ? "gather_facts" : entry?.name
        guard let name = own ?? found?.name else {
            throw CommandFailure(
                Diagnostic(
                    "there is no module '\(module)'", hint: suggestion(for: module, among: Registry.all.map(\.name))),
                status: 2)
        }
        let args = args ?? project.configuration.string(.moduleArguments)
        guard !args.isEmpty else {
            if ["command", "shell", "raw", "script"].contains(name) {
                throw CommandFailure(
                    Diagnostic(
                        "module '\(name)' needs what it is to do",
                        notes: [
                            "gantry run \(pattern) -m \(name) -a 'uptime'", "gantry run \(pattern) -- uptime",
                        ]),
                    status: 5)
            }
            return (name, Dict(), found?.path)
        }
        if args.hasPrefix("{") {
            do {
                if let dict = try Value(json: args).dict {
                    return (name, dict.mapValues { $0.mapText { AdHocPlay.written($0.string) } }, found?.path)
                }
                throw CommandFailure(Diagnostic("the arguments given with -a are no mapping"), status: 1)
            } catch let error as JSONError {
                throw CommandFailure(Diagnostic("the arguments given with -a are not JSON: \(error)"), status: 1)
            }
        }
        return (name, AdHocPlay.arguments(args, entry), found?.path)
    }
}
