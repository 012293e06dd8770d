import ArgumentParser
import Crypto
import Glibc
import Values

/// `gantry vault encrypt_string`: values to paste into YAML.
struct VaultEncryptString: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encrypt_string", abstract: "Encrypt a string as a value for YAML.",
        discussion: """
            Examples:
              gantry vault encrypt_string --name db_password 's3cret'
              gantry vault encrypt_string --prompt
              pwgen 20 1 | gantry vault encrypt_string --stdin-name db_password
            """)

    @Argument(help: "Strings; - reads one from standard input.") var strings: [String] = []
    @Flag(name: [.customShort("p"), .long], help: "Ask for the string.") var prompt = false
    @Flag(help: "Show what is typed at the question.") var showInput = false
    @Option(name: [.customShort("n"), .long], help: "The variable's name; once for each string.")
    var name: [String] = []
    @Option(help: "The name of what is read from standard input.") var stdinName: String?
    @OptionGroup var vault: VaultSubcommandArguments
    @OptionGroup var output: VaultOutputArguments
    @OptionGroup var identity: EncryptIdentityArguments

    private struct Plain {
        let bytes: [UInt8]
        let origin: String
        let name: String?
    }

    private var readsInput: Bool { strings.contains("-") || stdinName != nil || (strings.isEmpty && !prompt) }

    func run() throws {
        let setup = try VaultSetup(vault)
        try output.check(strings)
        if prompt, readsInput {
            throw VaultSetup.misuse("The --prompt option is not supported if also reading input from stdin")
        }
        let (store, secret) = try setup.writing(identity)
        let all = try (prompt ? [asked()] : []) + (readsInput ? [read()] : []) + arguments()
        var lines: [String] = []
        for (index, plain) in all.enumerated() {
            if all.count > 1 {
                let what = "the string #\(index + 1) from \(plain.origin)"
                Output.printError(
                    plain.name.map { "# The encrypted version of variable (\"\($0)\", \(what))." }
                        ?? "# The encrypted version of \(what).)")
            }
            let encrypted = String(decoding: try store.encrypted(plain.bytes, with: secret), as: UTF8.self)
            lines.append((plain.name.map { "\($0): " } ?? "") + "!vault |")
            lines += encrypted.split(separator: "\n").map { "          \($0)" }
        }
        try store.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: output.output ?? "-")
        setup.tell("Encryption successful")
    }

    private func asked() throws -> Plain {
        let answer: String
        let variable: String
        do throws(Diagnostic) {
            variable = try Prompt.ask("Variable name (enter for no name): ", echo: true)
            answer = try Prompt.ask(
                showInput ? "String to encrypt:" : "String to encrypt (hidden): ", echo: showInput)
        } catch { throw CommandFailure(error, status: 1) }
        if answer.isEmpty {
            throw VaultSetup.misuse("The plaintext provided from the prompt was empty, not encrypting")
        }
        return Plain(
            bytes: Array(answer.utf8), origin: "the interactive prompt", name: variable.isEmpty ? nil : variable)
    }

    private func read() throws -> Plain {
        if isatty(1) == 1 {
            Output.printError(
                "Reading plaintext input from stdin. "
                    + "(ctrl-d to end input, twice if your content does not already have a newline)")
        }
        let bytes = VaultFiles.standardInput()
        if bytes.isEmpty { throw VaultSetup.misuse("stdin was empty, not encrypting") }
        if isatty(1) == 1, bytes.last != 10 { Output.print("\n") }
        return Plain(bytes: bytes, origin: "stdin", name: stdinName)
    }

    private func arguments() throws -> [Plain] {
        let given = strings.filter { $0 != "-" }
        if given.contains("") {
            throw VaultSetup.misuse("The plaintext provided from the command line args was empty, not encrypting")
        }
        if let last = name.last, given.count > name.count {
            Output.printError("The number of --name options do not match the number of args.")
            Output.printError("The last named variable will be \"\(last)\". The rest will not have names.")
        }
        return given.enumerated().map { index, text in
            Plain(
                bytes: Array(text.utf8), origin: "the command line args",
                name: name.indices.contains(index) ? name[index] : nil)
        }
    }
}
