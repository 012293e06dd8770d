import ArgumentParser
import Crypto
import Glibc
import Values

/// What every command takes that reads an inventory.
struct InventoryArguments: ParsableArguments {
    @Option(
        name: [.customShort("i"), .long, .customLong("inventory-file")],
        help: "Inventory: a file, a folder, a program, or hosts separated by commas. May be given several times.")
    var inventory: [String] = []

    @Option(
        name: [.customShort("l"), .long, .customLong("subset")], help: "Only these of the hosts: a pattern, or @FILE.")
    var limit: String?

    @Option(
        name: [.customShort("e"), .customLong("extra-vars")],
        help: "Variables over all others: key=value, JSON or YAML, or @FILE. May be given several times.")
    var extraVars: [String] = []

    @OptionGroup var vault: VaultArguments
    @OptionGroup var verbosity: VerbosityArguments
}

struct VaultArguments: ParsableArguments {
    @Option(name: .customLong("vault-id"), help: "A vault identity: ID@FILE, ID@prompt, or FILE.")
    var vaultID: [String] = []

    @Option(
        name: [.customLong("vault-password-file"), .customLong("vault-pass-file")],
        help: "A file or program that gives the vault's password.")
    var vaultPasswordFile: [String] = []

    @Flag(
        name: [.customShort("J"), .customLong("ask-vault-password"), .customLong("ask-vault-pass")],
        help: "Ask for it.")
    var askVaultPassword = false
}

struct VerbosityArguments: ParsableArguments {
    @Flag(name: [.short, .long], help: "More words; up to -vvvv.")
    var verbose: Int
}

/// How hosts are reached.
struct ConnectionArguments: ParsableArguments {
    @Option(name: [.customShort("u"), .long], help: "Log in as this user.")
    var user: String?

    @Option(name: [.long, .customLong("key-file")], help: "Log in with this key.")
    var privateKey: String?

    @Option(name: [.customShort("c"), .long], help: "ssh, openssh, local or docker.")
    var connection: String?

    @Option(name: [.customShort("T"), .long], help: "Seconds to wait for a connection.")
    var timeout: Int?

    @Flag(name: [.customShort("k"), .customLong("ask-pass")], help: "Ask for the password of SSH.")
    var askPass = false

    @Option(name: [.customLong("connection-password-file"), .customLong("conn-pass-file")], help: "A file with it.")
    var connectionPasswordFile: String?

    @Option(help: "Options of ssh that apply here too, such as '-J bastion'.")
    var sshCommonArgs: String?

    @Option(help: "More of these.")
    var sshExtraArgs: String?

    @Option(help: ArgumentHelp("Taken for compatibility; files travel with the agent.", visibility: .hidden))
    var sftpExtraArgs: String?

    @Option(help: ArgumentHelp("Taken for compatibility; files travel with the agent.", visibility: .hidden))
    var scpExtraArgs: String?
}

/// Becoming another user.
struct BecomeArguments: ParsableArguments {
    @Flag(name: [.customShort("b"), .long], help: "Become another user on the hosts.")
    var become = false

    @Option(help: "sudo or su.")
    var becomeMethod: String?

    @Option(help: "Who to become; root if nothing is said.")
    var becomeUser: String?

    @Flag(name: [.customShort("K"), .customLong("ask-become-pass")], help: "Ask for the password of become.")
    var askBecomePass = false

    @Option(name: [.customLong("become-password-file"), .customLong("become-pass-file")], help: "A file with it.")
    var becomePasswordFile: String?
}

/// How a run goes.
struct RunArguments: ParsableArguments {
    @Flag(name: [.customShort("C"), .long], help: "Change nothing; say what would change.")
    var check = false

    @Flag(name: [.customShort("D"), .long], help: "Show what changes in files and settings.")
    var diff = false

    @Option(name: [.customShort("f"), .long], help: "Hosts that change something at the same time; 0 is all of them.")
    var forks: Int?

    func validate() throws {
        if let forks, forks < (Twin.isCalled ? 1 : 0) {
            throw ValidationError("The number of processes (--forks) must be >= 1")
        }
    }

    @Option(help: "text, or json: one event a line.")
    var output: OutputForm = .text

    @Flag(help: "With --check: end with 3 when something would change.")
    var detailedExitcode = false
}

enum OutputForm: String, ExpressibleByArgument, CaseIterable { case text, json }

/// Where modules are looked for that are not built in.
struct ModulePathArguments: ParsableArguments {
    @Option(
        name: [.customShort("M"), .long], help: "Folders with modules that are not built in, before the settings'.")
    var modulePath: [String] = []

    /// Puts them before those of the settings, for what is read from now on.
    func apply() throws(CommandFailure) {
        guard !modulePath.isEmpty else { return }
        do throws(Diagnostic) {
            let configuration = try Configuration(environment: Configuration.processEnvironment())
            let known = configuration.paths(.library, separator: ":")
            unsafe setenv("ANSIBLE_LIBRARY", (modulePath.map(configuration.expanded) + known).joined(separator: ":"), 1)
        } catch { throw CommandFailure(error, status: 1) }
    }
}
