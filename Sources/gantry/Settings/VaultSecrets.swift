import Crypto
import Glibc
import Machine
import Playbooks
import Values

/// Reads the passwords that options and settings name: `FILE`, `ID@FILE`, `ID@prompt`; a program is run.
///
/// A source that gives none is a warning as long as another one gives one.
struct VaultSecrets {
    let environment: [String: String]
    /// The id of what has none (`vault_identity`).
    var identity = "default"
    /// New passwords are asked for twice.
    var asksForNew = false
    var warn: (Diagnostic) -> Void = { Output.printError($0.shown) }

    /// - Parameter ids: with their sources, in the order in which they are tried.
    func load(_ ids: [String]) throws(Diagnostic) -> [VaultSecret] {
        var secrets: [VaultSecret] = []
        var last: Diagnostic?
        for slug in ids {
            let parts = slug.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let id = parts.count == 2 ? parts[0] : nil
            let source = parts.count == 2 ? parts[1] : slug
            do throws(Diagnostic) {
                let password: Secret
                if source == "prompt" || source == "prompt_ask_vault_pass" {
                    password = try prompted(id ?? identity, isPlain: source != "prompt")
                } else {
                    password = try read(source, id, secrets)
                }
                let name = id.flatMap { $0.isEmpty ? nil : $0 } ?? identity
                secrets.append(VaultSecret(id: name == "default" ? nil : name, password: password))
            } catch {
                // A person who gave no answer is not asked for others.
                if source.hasPrefix("prompt") { throw error }
                last = error
            }
        }
        if secrets.isEmpty, let last { throw last }
        return secrets
    }

    private func prompted(_ id: String, isPlain: Bool) throws(Diagnostic) -> Secret {
        let what = (asksForNew ? "New " : "") + (asksForNew && !isPlain ? "vault" : "Vault") + " password"
        let suffix = isPlain ? ": " : " (\(id)): "
        let first = (asksForNew ? what : "Vault password") + suffix
        do throws(Diagnostic) {
            let answer = try Prompt.ask(first, echo: false)
            guard !answer.isEmpty else { throw Diagnostic("Invalid vault password was provided") }
            if asksForNew {
                let what = isPlain ? "New Vault" : "new vault"
                let again = try Prompt.ask("Confirm \(what) password\(suffix)", echo: false)
                guard again.trimmed == answer.trimmed else { throw Diagnostic("Passwords do not match") }
            }
            return Secret(answer.trimmed)
        } catch {
            throw noted(error)
        }
    }

    private func noted(_ diagnostic: Diagnostic) -> Diagnostic {
        var noted = diagnostic
        noted.status = 1
        return noted
    }

    private func read(_ given: String, _ id: String?, _ known: [VaultSecret]) throws(Diagnostic) -> Secret {
        let name = id ?? "None"
        let path = Disk.absolute(expandedPath(given, environment))
        do throws(Diagnostic) {
            guard let kind = Disk.kind(path) else { throw Diagnostic("The vault password file \(path) was not found") }
            guard kind == .file else {
                throw Diagnostic("The vault password file provided '\(path)' can not be a directory")
            }
        } catch {
            warning("Error getting vault password file (\(name)): \(error.message)")
            throw noted(error)
        }
        do throws(Diagnostic) {
            let isProgram = Disk.isExecutable(path)
            let bytes = isProgram ? try output(of: path, id) : try contents(path, known)
            var text = String(decoding: bytes, as: UTF8.self)
            while text.last?.isNewline ?? false { text.removeLast() }
            while text.first?.isNewline ?? false { text.removeFirst() }
            guard !text.isEmpty else {
                let what = isProgram ? "script" : "file"
                throw Diagnostic("Invalid vault password was provided from \(what) (\(path))")
            }
            return Secret(text)
        } catch {
            warning("Error in vault password file loading (\(name)): \(error.message)")
            throw noted(error)
        }
    }

    private func warning(_ text: String) { warn(Diagnostic(text, severity: .warning)) }

    /// A password file may be a vault itself, of a password that came before it.
    private func contents(_ path: String, _ known: [VaultSecret]) throws(Diagnostic) -> [UInt8] {
        let bytes: [UInt8]
        do throws(Diagnostic) { bytes = try Disk.contents(path) ?? [] } catch {
            throw Diagnostic("Could not read vault password file '\(path)': \(error.message)")
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmed
        guard Vault.isVaulted(text) else { return Array(text.utf8) }
        do throws(VaultError) { return try Vault.open(text, with: known).bytes } catch {
            throw VaultOpener.diagnostic(error)
        }
    }

    /// What the program prints; one whose name ends in `-client` is told which id it is asked for.
    private func output(of path: String, _ id: String?) throws(Diagnostic) -> [UInt8] {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let stem = name.split(separator: ".", omittingEmptySubsequences: false)
        let isClient = (stem.count > 1 ? stem.dropLast().joined(separator: ".") : name).hasSuffix("-client")
        var arguments = [path]
        if isClient, let id, !id.isEmpty { arguments += ["--vault-id", id] }
        let result: CommandResult
        do throws(MachineError) { result = try LinuxMachine().run(Command(arguments)) } catch {
            throw Diagnostic(
                "Problem running vault password script \(path) (\(error.message)). "
                    + "If this is not a script, remove the executable bit from the file.")
        }
        // What a script has to say, a person may want to see.
        if !isClient { Output.put(result.errorText, 2) }
        if result.status == 0 { return result.output }
        let said = result.errorText.trimmed
        if isClient, result.status == 2 {
            throw Diagnostic(
                "Vault password client script \(path) did not find a secret for vault-id=\(id ?? "None"): \(said)")
        }
        throw Diagnostic(
            isClient
                ? "Vault password client script \(path) returned non-zero (\(result.status)) when getting secret for "
                    + "vault-id=\(id ?? "None"): \(said)"
                : "Vault password script \(path) returned non-zero (\(result.status)): \(said)")
    }
}

extension VaultSecrets {
    /// All sources of a command in the order in which they are tried, as Ansible has it: configured identities, those
    /// of the command line, password files, and the question.
    ///
    /// - Parameter asksByItself: without any other source a password is asked for.
    static func sources(
        _ arguments: VaultArguments, _ configuration: Configuration, asksByItself: Bool = false
    ) -> [String] {
        let identity = configuration.string(.vaultIdentity)
        var sources = configuration.list(.vaultIdentities) + arguments.vaultID
        var files = arguments.vaultPasswordFile
        files += configuration.paths(.vaultPasswordFile, separator: "\n").filter { !$0.isEmpty }
        sources += files.map { "\(identity)@\($0)" }
        let asks = arguments.askVaultPassword || configuration.flag(.askVaultPassword)
        if asks || (sources.isEmpty && asksByItself) { sources.append("\(identity)@prompt_ask_vault_pass") }
        return sources
    }
}

/// `~` and variables of the environment, as they stand in a path.
func expandedPath(_ path: String, _ environment: [String: String]) -> String {
    var path = path
    if path == "~" || path.hasPrefix("~/"), let home = environment["HOME"] { path = home + path.dropFirst() }
    guard path.contains("$") else { return path }
    var out = ""
    var rest = path[...]
    while let dollar = rest.firstIndex(of: "$") {
        out += rest[..<dollar]
        rest = rest[rest.index(after: dollar)...]
        let isBraced = rest.first == "{"
        let name = (isBraced ? rest.dropFirst() : rest).prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        let end = isBraced ? name.endIndex < rest.endIndex && rest[name.endIndex] == "}" : true
        guard !name.isEmpty, end, let value = environment[String(name)] else {
            out += "$"
            continue
        }
        out += value
        rest = rest[name.endIndex...].dropFirst(isBraced ? 1 : 0)
    }
    return out + rest
}
