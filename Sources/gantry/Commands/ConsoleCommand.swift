import ArgumentParser
import Controller
import Glibc
import Hosts
import Modules
import Playbooks
import Values
import Wire

/// `gantry console`: modules on hosts, line by line.
struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Run modules on hosts, line by line.",
        discussion: """
            Each line is a module with its arguments, or a command for a shell; '!' before it makes it one in any case.
            'help' lists what else there is.

            Examples:
              gantry console -i Inventory/hxn.yml web
              echo 'apt name=jq state=present' | gantry console -i hosts all -b
            """)

    @Argument(help: "Which hosts: a host, a group, or a pattern.") var pattern = "all"
    @Flag(help: "List the hosts, and run nothing.") var listHosts = false
    @Option(help: "Seconds after which a task is ended.") var taskTimeout: Int?
    @Flag(help: "Forget what the fact cache holds of the inventory's hosts.") var flushCache = false
    @Option(help: "Act as if a playbook were in this folder.") var playbookDir: String?
    @Flag(help: ArgumentHelp("Taken for compatibility: every line is a step.", visibility: .hidden)) var step = false
    @OptionGroup(title: "Hosts and variables") var inventory: InventoryArguments
    @OptionGroup(title: "The run") var runOptions: RunArguments
    @OptionGroup(title: "Connection") var connection: ConnectionArguments
    @OptionGroup(title: "Becoming another user") var become: BecomeArguments
    @OptionGroup var modulePath: ModulePathArguments

    func run() async throws {
        try modulePath.apply()
        let project = try Project(inventory)
        for warning in project.warnings { Output.printError(warning.shown) }
        let hosts = (try? project.inventory.select(pattern, limit: project.limit).hosts) ?? []
        if hosts.isEmpty { _ = try project.selected(pattern) }
        if listHosts {
            Output.print("  hosts (\(hosts.count)):")
            for host in hosts { Output.print("    \(host)") }
            return
        }
        if flushCache { project.flushFacts() }
        var session = ConsoleSession(self, project)
        Output.print("Welcome to the \(MessageForm.current.rawValue) console. Type help or ? to list commands.\n")
        while let line = session.nextLine() {
            if try await session.ends(with: line.trimmed) { break }
        }
        Output.print("\n\(MessageForm.current.rawValue.capitalized)-console was exited.")
    }
}

extension String {
    fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}

/// What a person at the console has set so far.
private struct ConsoleSession {
    private let project: Project
    private let folder: String
    private let passwords = AskedPasswords()
    private let remembered = Remembered()
    private var connection: ConnectionArguments
    private var become: BecomeArguments
    private var pattern: String
    private var check: Bool
    private var diff: Bool
    private var forks: Int?
    private var timeout: Int?
    private var verbosity: Int

    init(_ command: ConsoleCommand, _ project: Project) {
        self.project = project
        folder = Disk.absolute(command.playbookDir ?? ".")
        connection = command.connection
        become = command.become
        pattern = command.pattern
        check = command.runOptions.check
        diff = command.runOptions.diff
        forks = command.runOptions.forks
        timeout = command.taskTimeout
        verbosity = max(command.inventory.verbosity.verbose, project.configuration.number(.verbosity) ?? 0)
    }

    private var hosts: [String] { (try? project.inventory.select(pattern, limit: project.limit).hosts) ?? [] }

    /// Asks for a line; `nil` at the end of the input.
    func nextLine() -> String? {
        let user = connection.user ?? project.configuration.optional(.remoteUser) ?? Installation.userName
        let limit = forks ?? project.configuration.number(.forks) ?? 0
        let mark = become.become && [nil, "root"].contains(become.becomeUser) ? "#" : "$"
        let count = hosts.count
        Output.put("\(user)@\(pattern) (\(count))[f:\(limit == 0 ? "all" : "\(limit)")]\(mark) ", 1)
        return readLine()
    }


    // MARK: Lines

    /// Does what a line says.
    mutating func ends(with line: String) async throws -> Bool {
        if line.isEmpty || line.hasPrefix("#") { return false }
        let word = String(line.prefix { !$0.isWhitespace })
        let rest = String(line.dropFirst(word.count)).trimmed
        if line.hasPrefix("!") {
            await run("shell", String(line.dropFirst()).trimmed)
        } else if word == "exit" || word == "EOF" {
            return true
        } else if word == "help" || word.hasPrefix("?") {
            help(word.hasPrefix("?") ? line.dropFirst().trimmed : rest)
        } else if !set(word, rest) {
            if Registry.entry(word) != nil || foreign(word) != nil {
                await run(word, rest)
            } else {
                await run("shell", line)
            }
        }
        return false
    }

    private static let commands: [(name: String, use: String, about: String)] = [
        ("become", "<yes|no>", "Toggle whether the tasks are run with become"),
        ("become_method", "<method>", "Set the privilege escalation plugin to use when become is enabled"),
        ("become_user", "<user>", "Set the user for use with privilege escalation"),
        ("cd", "<group>|<host>|<host pattern>", "Change active host/group. "),
        ("check", "<yes|no>", "Toggle check_mode for the tasks"),
        ("diff", "<yes|no>", "Toggle diff output for the tasks"),
        ("exit", "", "LEAVE!"),
        ("forks", "<number>", "Set the number of forks to use per task"),
        ("list", "", "List the hosts in the current group or a list of groups if you add 'groups'."),
        ("remote_user", "<user>", "Set the user for use as login to the remote target"),
        ("serial", "<number>", "Set the number of forks to use per task"),
        ("shell", "<command>", "You can run shell commands through the shell module."),
        ("timeout", "<seconds>", "Set task timeout in seconds"),
        ("verbosity", "<number>", "Set the verbosity level, equivalent to -v for 1 and -vvvv for 4."),
    ]

    private func help(_ topic: String) {
        if topic.isEmpty {
            Output.print("Commands: " + Self.commands.map(\.name).joined(separator: " "))
            Output.print("Modules: 'gantry doc -l' lists them. Anything else goes to a shell.")
        } else if let command = Self.commands.first(where: { $0.name == topic }) {
            Output.print(command.about)
            if command.use.first == "<", ["cd", "forks", "serial", "timeout"].contains(topic) {
                Output.print("Usage: \(topic == "serial" ? "forks" : topic) \(command.use)")
            }
        } else if let entry = Registry.entry(topic) {
            Output.print(entry.summary)
            Output.print("Parameters:")
            for parameter in entry.parameters { Output.print("  \(parameter.name) \(parameter.summary)") }
        } else {
            Output.print("*** No help on \(topic)")
        }
    }

    // MARK: Settings

    /// - Returns: whether the word is a command of the console.
    private mutating func set(_ word: String, _ value: String) -> Bool {
        switch word {
        case "cd": go(to: value)
        case "list": list(value)
        case "forks", "serial":
            if let count = Int(value), count > 0 { forks = count } else { Output.print("Usage: forks <number>") }
        case "verbosity":
            if let level = Int(value) {
                verbosity = level
                if level > 0 { Output.print("verbosity level set to \(level)") }
            } else {
                Output.print("Usage: verbosity <number>")
            }
        case "timeout":
            if let seconds = Int(value), seconds >= 0 { timeout = seconds } else {
                Output.print("Usage: timeout <seconds>")
            }
        case "become":
            if value.isEmpty { Output.print("Please specify become value, e.g. `become yes`") }
            if let flag = flag(value) { become.become = flag }
        case "become_user": choose(value, \.become.becomeUser, "a user, e.g. `become_user jenkins`")
        case "become_method": choose(value, \.become.becomeMethod, "a become_method, e.g. `become_method su`")
        case "remote_user": choose(value, \.connection.user, "a remote user, e.g. `remote_user root`")
        case "check":
            if value.isEmpty { Output.print("Please specify check mode value, e.g. `check yes`") }
            if let flag = flag(value) {
                check = flag
                Output.print("check mode changed to \(flag ? "True" : "False")")
            }
        case "diff":
            if value.isEmpty { Output.print("Please specify a diff value , e.g. `diff yes`") }
            if let flag = flag(value) {
                diff = flag
                Output.print("diff mode changed to \(flag ? "True" : "False")")
            }
        default: return false
        }
        return true
    }

    private func flag(_ value: String) -> Bool? { value.isEmpty ? nil : Value.string(value).asBool ?? false }

    private mutating func choose(
        _ value: String, _ setting: WritableKeyPath<ConsoleSession, String?>, _ example: String
    ) {
        if value.isEmpty { Output.print("Please specify \(example)") } else { self[keyPath: setting] = value }
    }

    private mutating func go(to value: String) {
        if value.isEmpty || value == "/" || value == "*" {
            pattern = value.isEmpty ? "*" : "all"
            return
        }
        let found = try? project.inventory.select(value, limit: project.limit)
        for warning in found?.warnings ?? [] { Output.printError(warning.shown) }
        if found?.hosts.isEmpty ?? true { Output.print("no host matched") } else { pattern = value }
    }

    private func list(_ value: String) {
        switch value {
        case "": for host in hosts { Output.print(host) }
        case "groups": for group in project.inventory.groups.keys.sorted() { Output.print(group) }
        default:
            Output.printError(Diagnostic("Invalid option passed to \"list\"").shown)
            help("list")
        }
    }

    // MARK: Running

    private func foreign(_ module: String) -> (name: String, path: String)? {
        ForeignModules.file(
            of: module, files: project.files, paths: project.configuration.contentPaths, playFolder: folder)
            .map { ($0.name, $0.path) }
    }

    /// Errors are told; the console goes on.
    private func run(_ module: String, _ arguments: String) async {
        do {
            let found = Registry.entry(module) == nil ? foreign(module) : nil
            let entry = Registry.entry(module)
            var keywords = Dict()
            if let timeout, timeout > 0 { keywords["timeout"] = .int(timeout) }
            let play = try AdHocPlay.play(
                pattern: pattern, module: entry?.name ?? found?.name ?? module, file: found?.path,
                arguments: arguments.isEmpty ? Dict() : AdHocPlay.arguments(arguments, entry), keywords: keywords,
                folder: folder, project: project)
            var settings = RunSettings()
            settings.checkMode = check
            settings.diffMode = diff
            settings.verbosity = verbosity
            settings.reportsVariables = true
            var options = DisplayOptions(project.configuration, verbosity: verbosity)
            options.checkMode = check
            options.diffMode = diff
            let sink = Callbacks(stdout: .minimal, enabled: [], project.configuration, options)
            let setup = RunSetup(
                project: project, plays: [play], settings: settings, connection: connection, become: become,
                forks: forks, sink: sink, warnings: [], warnsOfProject: false, passwords: passwords,
                remembered: remembered)
            _ = try await setup.run()
        } catch let failure as CommandFailure {
            Output.printError(failure.description)
        } catch let diagnostic as Diagnostic {
            Output.printError(diagnostic.shown)
        } catch {
            Output.printError("\(error)")
        }
    }
}
