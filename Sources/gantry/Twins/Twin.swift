import ArgumentParser
import Values

/// The version of ansible-core whose language and command lines are spoken.
let languageVersion = "2.19.14"

/// The program under the name of one of Ansible's: it takes that program's arguments and ends with its statuses.
struct Twin {
    /// Ansible's name for it, such as `ansible-playbook`.
    let name: String
    /// The command of ours that does it.
    let command: String

    /// Ansible's programs, and what stands for each.
    static let all = [
        Twin(name: "ansible", command: "run"), Twin(name: "ansible-playbook", command: "apply"),
        Twin(name: "ansible-inventory", command: "inventory"), Twin(name: "ansible-vault", command: "vault"),
        Twin(name: "ansible-doc", command: "doc"), Twin(name: "ansible-config", command: "config"),
        Twin(name: "ansible-galaxy", command: "galaxy"), Twin(name: "ansible-console", command: "console"),
        Twin(name: "ansible-pull", command: "pull"),
    ]

    /// - Parameter path: what the program was called by.
    static func called(by path: String) -> Twin? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return all.first { $0.name == name }
    }

    /// This process was called by one of Ansible's names.
    static var isCalled: Bool { CommandLine.arguments.first.flatMap(called) != nil }

    /// The status of wrong usage, as `argparse` has it.
    static let usageStatus: Int32 = 2

    /// Our command for what the twin was given; `nil` when the version was asked for and is printed.
    func parsed(_ arguments: [String], calledBy path: String) throws -> (any ParsableCommand)? {
        if arguments.prefix(while: { $0 != "--" }).contains("--version") {
            printVersion(path, try Configuration(environment: Configuration.processEnvironment()))
            return nil
        }
        guard let type = Gantry.configuration.subcommands.first(where: { $0._commandName == command }) else {
            throw CommandFailure(
                Diagnostic(
                    "gantry has nothing in place of \(name) yet", notes: ["'gantry help' says what there is"]),
                status: Self.usageStatus)
        }
        let line = PythonArguments(commands: [type])
        return try Gantry.parseAsRoot([command] + line.rewritten(arguments))
    }

    func printVersion(_ path: String, _ configuration: Configuration) {
        let file = configuration.path.map { Disk.realPath($0) ?? $0 } ?? "None"
        Output.print(
            """
            \(name) [core \(languageVersion)]
              config file = \(file)
              executable location = \(Self.location(of: path, configuration.environment))
              gantry version = \(gantryVersion)
            """)
    }

    private static func location(of path: String, _ environment: [String: String]) -> String {
        if path.contains("/") { return Disk.absolute(path) }
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(path)" }.first { Disk.isExecutable($0) } ?? path
    }
}
