package import Values

/// A vault password and the name it goes by (`--vault-id prod@file`).
package struct VaultSecret: Sendable {
    /// The vault id; `nil` is Ansible's `default`.
    package let id: String?
    package let password: Secret

    package init(id: String? = nil, password: Secret) {
        self.id = id
        self.password = password
    }
}

/// Text encrypted with a password, byte for byte as `ansible-vault` reads and writes it (formats 1.1 and 1.2).
///
/// A vault is a header line, `$ANSIBLE_VAULT;1.1;AES256` or `$ANSIBLE_VAULT;1.2;AES256;ID`, and hexadecimal lines of
/// 80 digits. They spell three lines of hexadecimal digits: salt, HMAC-SHA256 of the cipher text, and the cipher
/// text (AES-256 in counter mode, padded to blocks of 16). PBKDF2 makes both keys and the counter from the password.
package enum Vault {
    private static let magic = "$ANSIBLE_VAULT"

    /// Whether the text claims to be a vault.
    package static func isVaulted(_ text: some StringProtocol) -> Bool { text.utf8.starts(with: magic.utf8) }

    /// The id in the header; `nil` for format 1.1 and for what is no vault.
    package static func id(of envelope: String) -> String? { try? Envelope(envelope).id }

    /// The decrypted bytes. Secrets of the vault's id are tried first, then the others, in the order given.
    package static func decrypt(_ envelope: String, with secrets: [VaultSecret]) throws(VaultError) -> [UInt8] {
        try open(envelope, with: secrets).bytes
    }

    /// The decrypted bytes, and what opened the vault.
    ///
    /// - Parameter matchesID: only secrets of the vault's own id are tried (`vault_id_match`).
    package static func open(
        _ envelope: String, with secrets: [VaultSecret], matchesID: Bool = false
    ) throws(VaultError) -> (bytes: [UInt8], secret: VaultSecret) {
        let vault = try Envelope(envelope)
        guard !secrets.isEmpty else { throw VaultError(.noSecret, id: vault.id) }
        let wanted = vault.id ?? "default"
        var ordered = secrets.filter { ($0.id ?? "default") == wanted }
        if !matchesID { ordered += secrets.filter { ($0.id ?? "default") != wanted } }
        for secret in ordered {
            let keys = try Keys(password: secret.password, salt: vault.salt)
            // Checked before anything is decrypted: a wrong password and a changed vault give no plain text at all.
            guard constantTimeEqual(HMAC.code(key: keys.authentication, of: vault.cipherText), vault.code) else {
                continue
            }
            return (try unpadded(keys.apply(to: vault.cipherText), id: vault.id), secret)
        }
        throw VaultError(.wrongPassword(tried: ordered.map { $0.id ?? "default" }), id: vault.id)
    }

    /// The vault of these bytes, ending with a line end.
    ///
    /// - Parameter salt: 32 random bytes, unless tests and reproducible builds give their own.
    package static func encrypt(
        _ bytes: [UInt8], with secret: VaultSecret, salt: [UInt8]? = nil
    ) throws(VaultError) -> String {
        guard !secret.password.exposed.isEmpty else { throw VaultError(.emptyPassword, id: secret.id) }
        let salt = salt ?? randomBytes(32)
        let keys = try Keys(password: secret.password, salt: salt)
        let padding = 16 - bytes.count % 16
        let cipherText = try keys.apply(to: bytes + [UInt8](repeating: UInt8(padding), count: padding))
        let code = HMAC.code(key: keys.authentication, of: cipherText)
        let inner = [salt, code, cipherText].map { Hex.encode($0) }.joined(separator: "\n")
        let digits = Array(Hex.encode(inner.utf8).utf8)

        var lines = [header(id: secret.id)]
        for start in stride(from: 0, to: digits.count, by: 80) {
            lines.append(String(decoding: digits[start..<min(start + 80, digits.count)], as: UTF8.self))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func header(id: String?) -> String {
        if let id, id != "default" { "\(magic);1.2;AES256;\(id)" } else { "\(magic);1.1;AES256" }
    }

    private static func unpadded(_ bytes: [UInt8], id: String?) throws(VaultError) -> [UInt8] {
        guard let last = bytes.last, (1...16).contains(last), bytes.count >= Int(last),
            bytes.suffix(Int(last)).allSatisfy({ $0 == last })
        else { throw VaultError(.damaged("the padding of the decrypted text is wrong"), id: id) }
        return Array(bytes.dropLast(Int(last)))
    }
}

/// Why a vault could not be read or written, in Ansible's words, which people's scripts look for. The description is
/// one line and never shows contents or passwords.
package struct VaultError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        case notVaulted
        case unsupported(String)
        case envelope(String)
        case digits(String)
        case damaged(String)
        case noSecret
        case emptyPassword
        case wrongPassword(tried: [String])
        case crypto(String)
    }

    package let kind: Kind
    /// The id in the vault's header.
    package let id: String?

    init(_ kind: Kind, id: String? = nil) {
        self.kind = kind
        self.id = id
    }

    package var description: String {
        switch kind {
        case .notVaulted: "Input is not vault encrypted data."
        case .unsupported(let cipher): "Cipher '\(cipher)' could not be found."
        case .envelope(let why): "Vault envelope format error: \(why)"
        case .digits(let why): "Vault format unhexlify error: \(why)"
        case .damaged(let why): "Vault vaulttext format error: \(why)"
        case .noSecret: "Attempting to decrypt but no vault secrets found."
        case .emptyPassword: "Invalid vault password was provided"
        case .wrongPassword: "Decryption failed (no vault secrets were found that could decrypt)."
        case .crypto(let why): why
        }
    }

    /// The ids whose passwords did not open the vault.
    package var tried: [String] { if case .wrongPassword(let tried) = kind { tried } else { [] } }
}

/// The parts of a vault's text.
private struct Envelope {
    let id: String?
    let salt: [UInt8]
    let code: [UInt8]
    let cipherText: [UInt8]

    init(_ text: String) throws(VaultError) {
        guard Vault.isVaulted(text) else { throw VaultError(.notVaulted) }
        let lines = text.utf8.split { $0 == 10 || $0 == 13 }
        let header = lines[0].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map {
            String(Substring($0).trimmingSpaces)
        }
        guard header.count >= 3 else {
            throw VaultError(.envelope("the header has \(header.count) parts: expected '$ANSIBLE_VAULT;1.1;AES256'"))
        }
        id = header.count >= 4 && !header[3].isEmpty ? header[3] : nil
        guard header[2] == "AES256" else { throw VaultError(.unsupported(String(header[2].prefix(20))), id: id) }

        let digits = lines.dropFirst().flatMap { $0.filter { $0 != 32 && $0 != 9 } }
        guard !digits.isEmpty else { throw VaultError(.damaged("there is nothing below the header"), id: id) }
        let inner = try Self.decoded(digits, id)
        let parts = inner.split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw VaultError(.damaged("it holds \(parts.count) of the 3 parts: salt, HMAC, cipher text"), id: id)
        }
        let salt = try Self.decoded(Array(parts[0]), id)
        let code = try Self.decoded(Array(parts[1]), id)
        let cipherText = try Self.decoded(Array(parts[2]), id)
        guard code.count == 32, !cipherText.isEmpty, cipherText.count.isMultiple(of: 16) else {
            throw VaultError(.damaged("it is cut off, or a part has the wrong length"), id: id)
        }
        self.salt = salt
        self.code = code
        self.cipherText = cipherText
    }

    private static func decoded(_ digits: [UInt8], _ id: String?) throws(VaultError) -> [UInt8] {
        if let bytes = Hex.decode(digits) { return bytes }
        let why = digits.count.isMultiple(of: 2) ? "Non-hexadecimal digit found" : "Odd-length string"
        throw VaultError(.digits(why), id: id)
    }
}

/// What PBKDF2 makes of a password and a salt.
private struct Keys {
    let encryption: [UInt8]
    let authentication: [UInt8]
    let counter: [UInt8]

    init(password: Secret, salt: [UInt8]) throws(VaultError) {
        let bytes: [UInt8]
        do {
            bytes = try PasswordKey.derived(
                from: Array(password.exposed.utf8), salt: salt, rounds: 10_000, length: 32 + 32 + 16)
        } catch { throw VaultError(.crypto(error.message)) }
        encryption = Array(bytes[0..<32])
        authentication = Array(bytes[32..<64])
        counter = Array(bytes[64..<80])
    }

    func apply(to bytes: [UInt8]) throws(VaultError) -> [UInt8] {
        do { return try AESCounter.apply(to: bytes, key: encryption, counter: counter) } catch {
            throw VaultError(.crypto(error.message))
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
