import Crypto
import Values

/// `vault` and `unvault`: with a secret of their own, not with those of the project.
extension Filters {
    static func addVaults(_ table: inout FilterTable) {
        table.add("vault", parameters: ["secret", "salt", "vault_id", "wrap_object", "vaultid"], required: 1) {
            (c) throws(TemplateError) in
            guard case .string(let text) = c.value else {
                throw TemplateError("can only vault strings, got '\(c.value.typeName)'")
            }
            let secret = try vaultSecret(c, id: c[2].flatMap(\.text) ?? c[4].flatMap(\.text))
            let salt = try c.text(1).map { Array($0.utf8) }
            let mark = try c.flag(3) ? Mark(isSecret: true) : nil
            do throws(VaultError) {
                return .string(
                    Text(try Vault.encrypt(Array(text.string.utf8), with: secret, salt: salt), mark: mark))
            } catch {
                throw TemplateError("the text cannot be encrypted: \(error)", words: "Unable to encrypt. \(error)")
            }
        }
        table.add(
            "unvault", parameters: ["secret", "vault_id", "vaultid"], required: 1, acceptsUndefined: true
        ) { (c) throws(TemplateError) in
            // What the project's secrets did not open is what this is for.
            var value = c.value
            if case .undefined(let undefined) = value, let sealed = undefined.sealed { value = .string(sealed) }
            if case .undefined = value { return value }
            guard case .string(let text) = value else {
                throw TemplateError("a vault is a string, got '\(value.typeName)'")
            }
            guard Vault.isVaulted(text.string) else { return value }
            let secret = try vaultSecret(c, id: c[1].flatMap(\.text) ?? c[2].flatMap(\.text))
            do throws(VaultError) {
                let bytes = try Vault.decrypt(text.string, with: [secret])
                c.evaluator.sawSecret = true
                return .string(Text(String(decoding: bytes, as: UTF8.self), mark: Mark(isSecret: true)))
            } catch {
                throw TemplateError("the vault cannot be opened: \(error)", words: "Unable to decrypt. \(error)")
            }
        }
    }

    private static func vaultSecret(_ c: FilterCall, id: String?) throws(TemplateError) -> VaultSecret {
        guard case .string(let password) = c[0] else {
            throw TemplateError("the secret must be a string, got '\(c[0]?.typeName ?? "undefined")'")
        }
        return VaultSecret(id: id ?? "filter_default", password: Secret(password.string))
    }
}
