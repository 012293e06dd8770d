import ArgumentParser
import Crypto
import Glibc
import Values

/// `gantry vault`: makes, opens and changes what is encrypted, as `ansible-vault` does.
struct VaultCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault", abstract: "Encrypt, read and change secrets.",
        discussion: """
            Examples:
              gantry vault create group_vars/all/secrets.yml --vault-id prod@~/.vault-prod
              gantry vault edit group_vars/all/secrets.yml --vault-password-file ~/.vault
              gantry vault encrypt_string --name db_password 's3cret'
              gantry vault rekey --new-vault-password-file new.txt group_vars/all/secrets.yml
            """,
        subcommands: [
            VaultCreate.self, VaultDecrypt.self, VaultEdit.self, VaultView.self, VaultEncrypt.self,
            VaultEncryptString.self, VaultRekey.self,
        ])
}

/// Where passwords come from, for every command of the vault.
struct VaultSubcommandArguments: ParsableArguments {
    @OptionGroup var vault: VaultArguments
    @OptionGroup var verbosity: VerbosityArguments
}

struct EncryptIdentityArguments: ParsableArguments {
    @Option(
        name: .customLong("encrypt-vault-id"),
        help: "The vault id to encrypt with; needed where there are several.")
    var encryptVaultID: String?
}

struct VaultOutputArguments: ParsableArguments {
    @Option(help: "Write to this file; - is standard output.")
    var output: String?

    func check(_ files: [String]) throws(CommandFailure) {
        if output != nil, files.count > 1 {
            throw VaultSetup.misuse("At most one input file may be used with the --output option")
        }
    }
}

/// Settings and passwords of a command of the vault.
struct VaultSetup {
    let configuration: Configuration
    let arguments: VaultSubcommandArguments

    init(_ arguments: VaultSubcommandArguments) throws(CommandFailure) {
        do throws(Diagnostic) {
            configuration = try Configuration(environment: Configuration.processEnvironment())
        } catch { throw CommandFailure(error, status: 1) }
        self.arguments = arguments
        for id in arguments.vault.vaultID where id.contains(";") {
            throw Self.misuse("'\(id)' is not a valid vault id. The character ';' is not allowed in vault ids")
        }
        // What is made here is for this user's eyes.
        umask(0o077)
        configuration.announce(verbosity: arguments.verbosity.verbose)
    }

    static func misuse(_ text: String) -> CommandFailure { CommandFailure(Diagnostic(text), status: 5) }

    private func load(_ sources: [String], asksForNew: Bool) throws(CommandFailure) -> [VaultSecret] {
        var loading = VaultSecrets(
            environment: configuration.environment, identity: configuration.string(.vaultIdentity))
        loading.asksForNew = asksForNew
        do throws(Diagnostic) { return try loading.load(sources) } catch { throw CommandFailure(error, status: 1) }
    }

    /// The passwords that may open what is there.
    func reading() throws(CommandFailure) -> VaultFiles {
        let sources = VaultSecrets.sources(arguments.vault, configuration, asksByItself: true)
        let secrets = try load(sources, asksForNew: false)
        return VaultFiles(configuration: configuration, secrets: secrets)
    }

    /// The password to encrypt with.
    func writing(_ identity: EncryptIdentityArguments) throws(CommandFailure) -> (VaultFiles, VaultSecret) {
        let wanted = identity.encryptVaultID ?? configuration.optional(.vaultEncryptIdentity)
        let sources = VaultSecrets.sources(arguments.vault, configuration, asksByItself: true)
        let secrets = try load(sources, asksForNew: true)
        if secrets.count > 1, wanted == nil {
            let ids = secrets.map { $0.id ?? "default" }.joined(separator: ",")
            throw Self.misuse(
                "The vault-ids \(ids) are available to encrypt. Specify the vault-id to encrypt with "
                    + "--encrypt-vault-id")
        }
        return (VaultFiles(configuration: configuration, secrets: secrets), try chosen(wanted, of: secrets))
    }

    /// The password that replaces the old one.
    func renewing(_ newID: String?, _ file: String?, _ wanted: String?) throws(CommandFailure) -> VaultSecret {
        let wanted = wanted ?? configuration.optional(.vaultEncryptIdentity)
        let identity = configuration.string(.vaultIdentity)
        var sources = wanted == nil ? [] : configuration.list(.vaultIdentities)
        if let newID { sources.append(newID) }
        var files = file.map { [$0] } ?? []
        files += configuration.paths(.vaultPasswordFile, separator: "\n").filter { !$0.isEmpty }
        sources += files.map { "\(identity)@\($0)" }
        if sources.isEmpty || arguments.vault.askVaultPassword { sources.append("\(identity)@prompt_ask_vault_pass") }
        return try chosen(wanted, of: try load(sources, asksForNew: true))
    }

    private func chosen(_ wanted: String?, of secrets: [VaultSecret]) throws(CommandFailure) -> VaultSecret {
        guard let wanted else {
            if let first = secrets.first { return first }
            throw Self.misuse("A vault password is required to use Ansible's Vault")
        }
        if let secret = secrets.first(where: { ($0.id ?? "default") == wanted }) { return secret }
        let known = secrets.map { "'\($0.id ?? "default")'" }.joined(separator: ", ")
        throw CommandFailure(
            Diagnostic("Did not find a match for --encrypt-vault-id=\(wanted) in the known vault-ids [\(known)]"),
            status: 1)
    }

    /// Said to a person, not to a pipe.
    func tell(_ text: String) { if isatty(1) == 1 { Output.printError(text) } }
}

extension Configuration {
    /// `-v`: which settings count.
    func announce(verbosity: Int) {
        let verbosity = max(verbosity, number(.verbosity) ?? 0)
        guard verbosity > 0 else { return }
        if verbosity > 1, let path = CommandLine.arguments.first, let twin = Twin.called(by: path) {
            twin.printVersion(path, self)
        }
        let text = path.map { "Using \($0) as config file" } ?? "No config file found; using defaults"
        if flag(.verboseToErrors) { Output.printError(text) } else { Output.print(text) }
    }
}
