import ArgumentParser
import Controller
import Glibc
import Patterns
import Playbooks
import Values
import Wire

/// `gantry apply`: makes hosts what playbooks say.
struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make hosts what playbooks say.",
        discussion: """
            Examples:
              gantry apply -i Inventory/hxn.yml Playbooks/site.yml
              gantry apply site.yml --check --diff --limit web-02
                                       show what would change on one host, change nothing
              gantry apply site.yml --tags docker -e docker_packages=distro
            """)

    @Argument(help: "Playbooks, run in this order.", completion: .file(extensions: ["yml", "yaml"]))
    var playbooks: [String]

    @OptionGroup(title: "Hosts and variables") var inventory: InventoryArguments
    @OptionGroup(title: "The run") var runOptions: RunArguments
    @OptionGroup(title: "Connection") var connection: ConnectionArguments
    @OptionGroup(title: "Becoming another user") var become: BecomeArguments
    @OptionGroup var modulePath: ModulePathArguments

    @Option(name: [.customShort("t"), .long], help: "Only tasks with these tags.")
    var tags: [String] = []

    @Option(help: "No tasks with these tags.")
    var skipTags: [String] = []

    @Option(help: "Begin with the task of this name.")
    var startAtTask: String?

    @Flag(help: "Run notified handlers on hosts that failed, too.")
    var forceHandlers = false

    @Flag(help: "Check the playbooks, and run nothing.")
    var syntaxCheck = false

    @Flag(help: "List the hosts that the plays select.")
    var listHosts = false

    @Flag(help: "List the tasks.")
    var listTasks = false

    @Flag(help: "List the tags.")
    var listTags = false

    @Flag(help: "Forget what the fact cache holds of the inventory's hosts.")
    var flushCache = false

    @Flag(help: "Ask before each task.")
    var step = false

    func run() async throws {
        try modulePath.apply()
        let project = try Project(inventory)
        let (loaded, warnings, inclusions) = try project.plays(playbooks)
        var plays = loaded
        let configuration = project.configuration
        let verbosity = max(inventory.verbosity.verbose, configuration.number(.verbosity) ?? 0)
        configuration.announce(verbosity: verbosity)
        var settings = RunSettings()
        settings.checkMode = runOptions.check
        settings.step = step
        settings.diffMode = runOptions.diff || configuration.flag(.diffAlways)
        settings.verbosity = verbosity
        settings.allowsBrokenConditions = configuration.flag(.brokenConditions)
        settings.allowsSurrogates = !configuration.flag(.strictUTF8)
        settings.warnsOfUntrusted = configuration.warnsOfUntrusted
        settings.mergesHashes = configuration.string(.hashBehaviour) == "merge"
        settings.tags = tags.isEmpty ? configuration.list(.runTags) : words(tags)
        settings.skipTags = skipTags.isEmpty ? configuration.list(.skipTags) : words(skipTags)
        settings.forceHandlers = forceHandlers || configuration.flag(.forceHandlers)
        if syntaxCheck || listHosts || listTasks || listTags {
            for warning in project.warnings + warnings { Output.printError(warning.shown) }
            return try list(project, settings)
        }
        try project.checkLimit()
        try chooseStrategy(&plays, configuration)
        if flushCache { project.flushFacts() }
        let hasStart = try startAtTask.map { (name) throws(CommandFailure) in try Self.start(at: name, &plays) } ?? true
        let changes = ChangeWatch()
        let shown = try display(settings, plays.count, inclusions, configuration)
        let sink = changes.watching(
            playbooks.first.flatMap { RetryFiles(configuration, playbook: $0, inner: shown) } ?? shown)
        let setup = RunSetup(
            project: project, plays: plays, settings: settings, connection: connection, become: become,
            forks: runOptions.forks, sink: sink, warnings: warnings)
        let status = try await setup.run()
        if let startAtTask, !hasStart {
            let note = "Note: --start-at-task can only follow static includes."
            Output.printError(Diagnostic("No matching task \"\(startAtTask)\" found. \(note)").shown)
        }
        if status == 0, runOptions.check, runOptions.detailedExitcode, changes.hasChanges { throw ExitCode(3) }
        if status != 0 { throw ExitCode(status) }
    }

    /// `strategy` of the settings is that of plays which name none.
    private func chooseStrategy(_ plays: inout [Play], _ configuration: Configuration) throws(CommandFailure) {
        let (name, origin) = configuration.origin(.strategy)
        guard origin != "default" else { return }
        guard Strategy(named: name) != nil else { throw CommandFailure(Strategy.unknown(name, origin), status: 1) }
        for index in plays.indices where plays[index].keywords["strategy"] == nil {
            plays[index].keywords["strategy"] = .string(name)
        }
    }

    private func list(_ project: Project, _ settings: RunSettings) throws {
        for path in playbooks {
            Output.print("\nplaybook: \(path)")
            if syntaxCheck { continue }
            let listing = PlayListing(
                project: project, plays: try project.plays([path]).plays, settings: settings,
                keywords: project.playKeywords)
            Output.print(try listing.text(hosts: listHosts, tasks: listTasks, tags: listTags))
        }
    }

    private func words(_ given: [String]) -> [String] {
        given.flatMap { $0.split(separator: ",").map { $0.trimmed } }
    }

    private func display(
        _ settings: RunSettings, _ playCount: Int, _ inclusions: Inclusions, _ configuration: Configuration
    ) throws -> any EventSink {
        if runOptions.output == .json { return JSONDisplay() }
        var options = DisplayOptions(configuration, verbosity: settings.verbosity)
        options.checkMode = settings.checkMode
        options.diffMode = settings.diffMode
        options.playbooks = playbooks
        options.playCount = playCount
        options.inclusions = inclusions
        let choice = try CallbackChoice(configuration)
        for warning in choice.warnings { Output.printError(warning.shown) }
        return Callbacks(stdout: choice.stdout, enabled: choice.enabled, configuration, options)
    }

    /// Leaves out what comes before the task; facts are still gathered.
    ///
    /// - Returns: whether there is such a task. By the names of Ansible's programs nothing is run without one.
    private static func start(at name: String, _ plays: inout [Play]) throws(CommandFailure) -> Bool {
        for index in plays.indices {
            if let steps = rest(of: plays[index].steps, from: name, plays[index].roles) {
                plays[index].steps = plays[index].steps.filter(isGathering) + steps
                for earlier in plays[..<index].indices { plays[earlier].steps = [] }
                return true
            }
        }
        let names = plays.flatMap { PlayListing.names(of: $0.steps) }
        guard Twin.isCalled else {
            throw CommandFailure(
                Diagnostic(
                    "No matching task \"\(name)\" found.",
                    hint: suggestion(for: name, among: names),
                    notes: ["Note: --start-at-task can only follow static includes."]), status: 1)
        }
        for index in plays.indices { plays[index].steps = [] }
        return false
    }

    private static func isGathering(_ step: Step) -> Bool {
        if case .task(let task) = step { task.isImplicit && task.module == "gather_facts" } else { false }
    }

    /// By its own name or a glob of that, or by what is shown: with its role, the module's where it has no name.
    private static func isNamed(_ task: TaskPlan, _ wanted: String, _ roles: [RolePlan]) -> Bool {
        let role = task.role.flatMap { roles.indices.contains($0) ? "\(roles[$0].name) : " : nil } ?? ""
        guard let name = task.name?.string, !task.isImplicit else { return role + task.module == wanted }
        if name == wanted || role + name == wanted { return true }
        guard let glob = try? Pattern(glob: wanted) else { return false }
        return (try? glob.matchesWhole(name)) ?? false
    }

    private static func rest(of steps: [Step], from name: String, _ roles: [RolePlan]) -> [Step]? {
        for (index, step) in steps.enumerated() {
            switch step {
            case .task(let task):
                if isNamed(task, name, roles) { return Array(steps[index...]) }
            case .block(var block):
                guard let inner = rest(of: block.block, from: name, roles) else { continue }
                block.block = inner
                return [.block(block)] + steps[(index + 1)...]
            }
        }
        return nil
    }
}

/// Notes whether anything changed, or would.
final class ChangeWatch: Sendable {
    private let changed = Signal()
    var hasChanges: Bool { changed.isSet }

    func watching(_ sink: any EventSink) -> any EventSink { Watching(inner: sink, changed: changed) }

    private struct Watching: EventSink {
        let inner: any EventSink
        let changed: Signal
        func show(_ event: RunEvent) {
            if case .result(_, _, let result) = event, result.result["changed"]?.isTrue ?? false { changed.set() }
            inner.show(event)
        }
    }
}

extension Strategy {
    static func unknown(_ name: String, _ origin: String, at place: Place? = nil) -> Diagnostic {
        Diagnostic(
            "there is no strategy '\(name)' (\(origin))", at: place, hint: suggestion(for: name, among: names),
            notes: ["there are: \(names.joined(separator: ", "))"])
    }
}
