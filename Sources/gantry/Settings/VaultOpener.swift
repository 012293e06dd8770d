import Crypto
import Playbooks
import Synchronization
import Values

/// The vault secrets of a run, and opening with them.
final class VaultOpener: Sendable {
    private let secrets: [VaultSecret]
    private let matchesID: Bool
    /// What was opened, by the vault's text: values of groups are read for many hosts.
    private let opened = Mutex<[String: Text]>([:])
    /// Values that no password opened, by the ids of theirs.
    private let refused = Mutex<[(id: String, diagnostic: Diagnostic)]>([])
    /// The ids whose passwords have opened something.
    private let proven = Mutex<Set<String>>([])

    /// - Parameter matchesID: only secrets of a vault's own id are tried.
    init(_ secrets: [VaultSecret], matchesID: Bool = false) {
        self.secrets = secrets
        self.matchesID = matchesID
    }

    func digest(_ contents: [UInt8]) -> String { DigestAlgorithm.sha256.hex(of: contents) }

    /// A value under `!vault`, open where it can be; where not, that matters to whoever reads it.
    func unsealed(_ text: Text) -> Text {
        if let known = opened.withLock({ $0[text.string] }) { return Text(known.string, mark: known.mark) }
        let result: Text
        do throws(VaultError) {
            let plain = try plain(text)
            result = Text(String(decoding: plain, as: UTF8.self), mark: Mark(place: text.place, isSecret: true))
        } catch {
            result = Text(text.string, mark: Mark(place: text.place, seal: .unopenable(error.description)))
            let id = error.id ?? "default"
            if error.tried.contains(id) {
                let diagnostic = Self.diagnostic(error, "a vaulted value cannot be opened: ", at: text.place)
                refused.withLock { $0.append((id, diagnostic)) }
            }
        }
        opened.withLock { $0[text.string] = result }
        return result
    }

    /// Without secrets nothing is refused: who reads a vaulted value is told then.
    var hasSecrets: Bool { !secrets.isEmpty }

    private func plain(_ text: Text) throws(VaultError) -> [UInt8] {
        let (bytes, secret) = try Vault.open(text.string, with: secrets, matchesID: matchesID)
        proven.withLock { _ = $0.insert(secret.id ?? "default") }
        return bytes
    }

    /// Values that the password of their own id does not open, where it has opened nothing else: that password is
    /// wrong. One that opens others is right, and what it does not open matters to whoever reads it. Told once.
    func refusals() -> [Diagnostic] {
        let proven = proven.withLock { $0 }
        return refused.withLock { refused in
            defer { refused = [] }
            return refused.filter { !proven.contains($0.id) }.map(\.diagnostic)
        }
    }

    /// - Parameter what: names the thing in errors.
    func open(_ text: Text, what: String) throws(Diagnostic) -> [UInt8] {
        do throws(VaultError) {
            return try plain(text)
        } catch {
            throw Self.diagnostic(error, "\(what) cannot be opened: ", at: text.place)
        }
    }

    /// The error with the way out.
    static func diagnostic(_ error: VaultError, _ prefix: String = "", at place: Place? = nil) -> Diagnostic {
        var notes: [String] = []
        switch error.kind {
        case .noSecret:
            notes = ["give one with --vault-password-file FILE, --vault-id or -J, or set vault_password_file"]
        case .wrongPassword(let tried):
            let ids = tried.isEmpty ? "none has the vault's id" : tried.map { "'\($0)'" }.joined(separator: ", ")
            let vault = error.id.map { "the vault's id is '\($0)'; " } ?? ""
            notes = ["\(vault)passwords tried: \(ids); or the vault was changed since it was encrypted"]
        default: break
        }
        var diagnostic = Diagnostic(prefix + error.description, at: place, notes: notes)
        diagnostic.status = 1
        return diagnostic
    }
}
