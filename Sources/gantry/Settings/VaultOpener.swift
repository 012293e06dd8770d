import Crypto
import Playbooks
import Values

/// The vault secrets of a run, and opening with them.
final class VaultOpener: Sendable {
    private let secrets: [VaultSecret]
    private let matchesID: Bool

    /// - Parameter matchesID: only secrets of a vault's own id are tried.
    init(_ secrets: [VaultSecret], matchesID: Bool = false) {
        self.secrets = secrets
        self.matchesID = matchesID
    }

    func digest(_ contents: [UInt8]) -> String { DigestAlgorithm.sha256.hex(of: contents) }

    /// - Parameter what: names the thing in errors.
    func open(_ text: Text, what: String) throws(Diagnostic) -> [UInt8] {
        do throws(VaultError) {
            return try Vault.open(text.string, with: secrets, matchesID: matchesID).bytes
        } catch {
            throw Self.diagnostic(error, "\(what) cannot be opened: ", at: text.place)
        }
    }

    /// A value among others; one that no password opens is an error where it is used.
    func value(_ text: Text, what: String) throws(Diagnostic) -> Text {
        do throws(VaultError) {
            let bytes = try Vault.open(text.string, with: secrets, matchesID: matchesID).bytes
            return Text(String(decoding: bytes, as: UTF8.self), mark: Mark(place: text.place, isSecret: true))
        } catch {
            switch error.kind {
            case .noSecret, .wrongPassword: break
            default: throw Self.diagnostic(error, "\(what) cannot be opened: ", at: text.place)
            }
            let hint = Value.string("Attempt to use undecryptable variable: \(error.description)").json()
            // An error that no `default` takes for an undefined variable.
            return Text("{{ undef() | mandatory(msg=\(hint)) }}", mark: Mark(place: text.place, isTemplate: true))
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
