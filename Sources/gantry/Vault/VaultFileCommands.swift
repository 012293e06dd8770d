import ArgumentParser
import Crypto
import Glibc
import Playbooks
import Values

struct VaultEncrypt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encrypt", abstract: "Encrypt files, or standard input.")

    @Argument(help: "Files.", completion: .file()) var files: [String] = []
    @OptionGroup var vault: VaultSubcommandArguments
    @OptionGroup var output: VaultOutputArguments
    @OptionGroup var identity: EncryptIdentityArguments

    func run() throws {
        let setup = try VaultSetup(vault)
        try output.check(files)
        let (store, secret) = try setup.writing(identity)
        if files.isEmpty, isatty(0) == 1 { Output.printError("Reading plaintext input from stdin") }
        for name in files.isEmpty ? ["-"] : files {
            let path = store.real(name)
            try store.write(try store.encrypted(try store.read(path), with: secret), to: output.output ?? path)
        }
        setup.tell("Encryption successful")
    }
}

struct VaultDecrypt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decrypt", abstract: "Decrypt files, or standard input.")

    @Argument(help: "Files.", completion: .file()) var files: [String] = []
    @OptionGroup var vault: VaultSubcommandArguments
    @OptionGroup var output: VaultOutputArguments

    func run() throws {
        let setup = try VaultSetup(vault)
        try output.check(files)
        let store = try setup.reading()
        if files.isEmpty, isatty(0) == 1 { Output.printError("Reading ciphertext input from stdin") }
        for name in files.isEmpty ? ["-"] : files {
            let path = store.real(name)
            try store.write(try store.opened(try store.read(path), path).bytes, to: output.output ?? path)
        }
        setup.tell("Decryption successful")
    }
}

struct VaultView: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "view", abstract: "Show what encrypted files hold.")

    @Argument(help: "Files.", completion: .file()) var files: [String] = []
    @OptionGroup var vault: VaultSubcommandArguments

    func run() throws {
        let store = try VaultSetup(vault).reading()
        for name in files {
            let bytes = try store.opened(try store.read(name), name).bytes
            Pager.show(String(decoding: bytes, as: UTF8.self), store.configuration)
        }
    }
}

struct VaultCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Write a new encrypted file in the editor.")

    @Argument(help: "The file.", completion: .file()) var files: [String] = []
    @Flag(help: "Open the editor without a terminal, too.") var skipTtyCheck = false
    @OptionGroup var vault: VaultSubcommandArguments
    @OptionGroup var identity: EncryptIdentityArguments

    func run() throws {
        let setup = try VaultSetup(vault)
        let (store, secret) = try setup.writing(identity)
        guard files.count == 1, let name = files.first else {
            throw VaultSetup.misuse("ansible-vault create can take only one filename argument")
        }
        guard isatty(1) == 1 || skipTtyCheck else { throw VaultSetup.misuse("not a tty, editor cannot be opened") }
        let folder = Disk.folder(of: Disk.absolute(name))
        if Disk.kind(folder) == nil {
            Output.printError(Diagnostic("\(folder) does not exist, creating...", severity: .warning).shown)
            var made = ""
            for part in folder.split(separator: "/") {
                made += "/\(part)"
                _ = unsafe mkdir(made, 0o777)
            }
        }
        if Disk.kind(name) == .file {
            throw CommandFailure(Diagnostic("\(name) exists, please use 'edit' instead"), status: 1)
        }
        let text = try store.edited([], named: name)
        try store.write(try store.encrypted(text, with: secret), to: name)
    }
}

struct VaultEdit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change encrypted files in the editor.")

    @Argument(help: "Files.", completion: .file()) var files: [String] = []
    @OptionGroup var vault: VaultSubcommandArguments
    @OptionGroup var identity: EncryptIdentityArguments

    func run() throws {
        let store = try VaultSetup(vault).reading()
        for name in files {
            let path = store.real(name)
            let envelope = try store.read(path)
            let (plain, secret) = try store.opened(envelope, path)
            let text = try store.edited(plain, named: path)
            guard text != plain else { continue }
            // The id of the file stays, whichever password opened it.
            let id = Vault.id(of: String(decoding: envelope, as: UTF8.self))
            let encrypted = try store.encrypted(text, with: VaultSecret(id: id, password: secret.password))
            try store.write(encrypted, to: path, like: Disk.status(path))
        }
    }
}

struct VaultRekey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rekey", abstract: "Encrypt files anew with another password.")

    @Argument(help: "Files.", completion: .file()) var files: [String] = []
    @Option(help: "A file with the new password.") var newVaultPasswordFile: String?
    @Option(name: .customLong("new-vault-id"), help: "The new vault identity.") var newVaultID: String?
    @OptionGroup var vault: VaultSubcommandArguments
    @OptionGroup var identity: EncryptIdentityArguments

    func run() throws {
        let setup = try VaultSetup(vault)
        if newVaultID != nil, newVaultPasswordFile != nil {
            throw CommandFailure(
                Diagnostic(
                    "argument --new-vault-password-file: not allowed with argument --new-vault-id"),
                status: Twin.usageStatus)
        }
        let store = try setup.reading()
        let secret = try setup.renewing(newVaultID, newVaultPasswordFile, identity.encryptVaultID)
        // All are opened before the first is written: a password that is wrong for one of them changes none.
        var opened: [(path: String, bytes: [UInt8])] = []
        for name in files {
            let path = store.real(name)
            opened.append((path, try store.opened(try store.read(path), path).bytes))
        }
        for (path, bytes) in opened {
            try store.write(try store.encrypted(bytes, with: secret), to: path, like: Disk.status(path))
        }
        Output.printError("Rekey successful")
    }
}

extension Disk {
    static func status(_ path: String) -> stat? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status : nil
    }
}
