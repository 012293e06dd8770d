import Crypto
import Glibc
import Machine
import Playbooks
import Values

/// The vault secrets of a run, and opening with them.
final class VaultOpener: Sendable {
    private let secrets: [VaultSecret]

    init(_ secrets: [VaultSecret]) { self.secrets = secrets }

    func digest(_ contents: [UInt8]) -> String { DigestAlgorithm.sha256.hex(of: contents) }

    /// - Parameter what: names the thing in errors.
    func open(_ text: Text, what: String) throws(Diagnostic) -> [UInt8] {
        guard !secrets.isEmpty else {
            throw Diagnostic(
                "\(what) is vaulted, and no vault password was given", at: text.place,
                notes: ["give one with --vault-password-file FILE, --vault-id or -J, or set vault_password_file"])
        }
        do throws(VaultError) { return try Vault.decrypt(text.string, with: secrets) } catch {
            throw Diagnostic("\(what) cannot be opened: \(error)", at: text.place)
        }
    }

    /// The secrets that options and settings name: `FILE`, `ID@FILE`, `ID@prompt`; a program is run.
    static func load(
        _ sources: [String], prompt: (String) throws(Diagnostic) -> Secret, environment: [String: String]
    ) throws(Diagnostic) -> [VaultSecret] {
        var secrets: [VaultSecret] = []
        for source in sources {
            let parts = source.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let id = parts.count == 2 && !parts[0].isEmpty ? parts[0] : nil
            let path = parts.count == 2 ? parts[1] : source
            let password: Secret
            if path == "prompt" || path == "prompt_ask_vault_pass" {
                password = try prompt(id.map { "Vault password (\($0)): " } ?? "Vault password: ")
            } else {
                password = try read(path, id, environment)
            }
            secrets.append(VaultSecret(id: id, password: password))
        }
        return secrets
    }

    private static func read(
        _ given: String, _ id: String?, _ environment: [String: String]
    ) throws(Diagnostic) -> Secret {
        let home = environment["HOME"] ?? ""
        let path = given.hasPrefix("~/") ? home + given.dropFirst() : given
        guard Disk.kind(path) == .file else {
            throw Diagnostic("there is no vault password file '\(given)'")
        }
        var text: String
        if Disk.isExecutable(path) {
            text = try output(of: path, id)
        } else {
            text = String(decoding: try Disk.contents(path) ?? [], as: UTF8.self)
        }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        guard !text.isEmpty else { throw Diagnostic("the vault password file '\(given)' gives no password") }
        return Secret(text)
    }

    /// A program whose name ends in `-client` is told which id it is asked for.
    private static func output(of path: String, _ id: String?) throws(Diagnostic) -> String {
        let stem = path.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? ""
        let isClient = stem.hasSuffix("-client")
        let arguments = [path.contains("/") ? path : "./" + path] + (isClient ? ["--vault-id", id ?? "default"] : [])
        do throws(MachineError) {
            let result = try LinuxMachine().run(Command(arguments))
            guard result.status == 0 else {
                throw MachineError("it ended with status \(result.status): \(result.errorText.trimmingBlanks)")
            }
            return result.outputText
        } catch { throw Diagnostic("the vault password program '\(path)' failed: \(error.message)") }
    }
}
