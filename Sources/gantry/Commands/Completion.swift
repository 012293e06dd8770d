import ArgumentParser
import Values

/// `gantry completion SHELL`.
struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a completion script for a shell.",
        discussion: """
            Examples:
              gantry completion bash > /etc/bash_completion.d/gantry
              gantry completion zsh > ~/.zfunc/_gantry
              gantry completion fish > ~/.config/fish/completions/gantry.fish
            """)

    @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"]))
    var shell: String

    func run() throws {
        guard let known = CompletionShell(rawValue: shell) else {
            throw CommandFailure(
                Diagnostic("there is no completion for '\(shell)'", notes: ["it is bash, zsh or fish"]), status: 5)
        }
        print(Gantry.completionScript(for: known))
    }
}
