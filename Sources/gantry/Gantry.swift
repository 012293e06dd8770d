import ArgumentParser
import Glibc
import Values

/// The command line.
struct Gantry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry", abstract: "Configures machines: Ansible's language, run on the nodes by a small agent.",
        discussion: """
            Examples:
              gantry apply -i Inventory/hxn.yml Playbooks/site.yml
              gantry run all -i Inventory/hxn.yml -- uptime
            """,
        version: gantryVersion,
        subcommands: [
            Apply.self, Check.self, RunCommand.self, InventoryCommand.self, Facts.self, Doc.self, BundleCommand.self,
            VaultCommand.self, ConfigCommand.self, GalaxyCommand.self, PullCommand.self, ConsoleCommand.self,
            Completion.self, Shims.self,
        ])
}

@main
enum Main {
    /// Errors of ours are printed as they are and end with their own status; usage errors end with 5, as Ansible's.
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let status = await status()
        fflush(nil)
        // Threads of connections may still be ending: libraries must not be taken down under them.
        _exit(status)
    }

    private static func checkCommand() throws(CommandFailure) {
        guard CommandLine.arguments.count > 1 else { return }
        let word = CommandLine.arguments[1]
        let known = Gantry.configuration.subcommands.map { $0._commandName } + ["help"]
        if word.hasPrefix("-") || known.contains(word) { return }
        throw CommandFailure(
            Diagnostic(
                "there is no command '\(word)'", hint: suggestion(for: word, among: known),
                notes: ["there are: \(known.joined(separator: ", "))"]), status: 5)
    }

    private static func status() async -> Int32 {
        let twin = CommandLine.arguments.first.flatMap { Twin.called(by: $0) }
        do {
            guard var command = try command(twin) else { return 0 }
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as CommandFailure {
            Output.printError(failure.description)
            return failure.status
        } catch let diagnostics as Diagnostics {
            Output.printError(CommandFailure(diagnostics.all, status: 1).description)
            return 1
        } catch let diagnostic as Diagnostic {
            Output.printError(diagnostic.shown)
            return 1
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let status = Gantry.exitCode(for: error)
            // Without a subcommand the usage is shown; Ansible's programs take that for an error.
            let isAsked = CommandLine.arguments.contains { $0 == "-h" || $0.hasPrefix("--h") }
            if status == .success, twin == nil || isAsked {
                Output.print(Gantry.fullMessage(for: error))
                return 0
            }
            Output.printError(Gantry.fullMessage(for: error))
            return twin == nil ? 5 : Twin.usageStatus
        }
    }

    /// `nil` when there is nothing left to do.
    private static func command(_ twin: Twin?) throws -> (any ParsableCommand)? {
        if let twin {
            return try twin.parsed(Array(CommandLine.arguments.dropFirst()), calledBy: CommandLine.arguments[0])
        }
        try checkCommand()
        return try Gantry.parseAsRoot()
    }
}
