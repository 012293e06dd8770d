import Crypto
import Glibc
import Testing
import Values

@Suite struct VaultTests {
    static let plain = VaultSecret(password: Secret("correct horse"))
    static let prod = VaultSecret(id: "prod", password: Secret("pässwörd: $ic #1"))
    static let other = VaultSecret(id: "other", password: Secret("something else"))

    /// Fixtures that the real ansible-vault wrote (`Cases/make-vaults`).
    @Test(arguments: ["empty", "short", "block", "long", "unicode"], ["1.1", "1.2"])
    func readsWhatAnsibleWrote(_ name: String, _ version: String) throws {
        let envelope = String(decoding: try contents("\(name)-\(version).vault"), as: UTF8.self)
        #expect(Vault.isVaulted(envelope))
        #expect(Vault.id(of: envelope) == (version == "1.2" ? "prod" : nil))
        let expected = try contents("\(name).plain")
        #expect(try Vault.decrypt(envelope, with: [Self.other, Self.plain, Self.prod]) == expected)

        // The same salt must give the same text, to the last byte.
        let salt = try #require(self.salt(of: envelope))
        let secret = version == "1.2" ? Self.prod : Self.plain
        #expect(try Vault.encrypt(expected, with: secret, salt: salt) == envelope)
    }

    @Test func readsWhatItWrites() throws {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        let first = try Vault.encrypt(bytes, with: Self.prod)
        #expect(try Vault.decrypt(first, with: [Self.prod]) == bytes)
        #expect(try Vault.encrypt(bytes, with: Self.prod) != first)
        let indented = first.split(separator: "\n").map { "   \($0)\r" }.joined(separator: "\n")
        #expect(try Vault.decrypt(String(indented.drop { $0 == " " }), with: [Self.prod]) == bytes)
    }

    @Test func saysWhatIsWrong() throws {
        let vault = try Vault.encrypt(Array("x".utf8), with: Self.prod, salt: [UInt8](repeating: 7, count: 32))
        var changed = Array(vault)
        let last = changed.count - 2
        changed[last] = changed[last] == "1" ? "2" : "1"
        let cases: [(String, [VaultSecret], String)] = [
            ("hello", [Self.prod], "Input is not vault encrypted data."),
            (vault, [], "Attempting to decrypt but no vault secrets found."),
            (
                vault, [Self.plain, Self.other],
                "Decryption failed (no vault secrets were found that could decrypt)."
            ),
            (
                String(changed), [Self.prod],
                "Decryption failed (no vault secrets were found that could decrypt)."
            ),
            ("$ANSIBLE_VAULT;1.0;AES\n00", [Self.prod], "Cipher 'AES' could not be found."),
            ("$ANSIBLE_VAULT;1.2;AES128;x\n00", [Self.prod], "Cipher 'AES128' could not be found."),
            (
                "$ANSIBLE_VAULT;1.1;AES256\n", [Self.prod],
                "Vault vaulttext format error: there is nothing below the header"
            ),
            ("$ANSIBLE_VAULT;1.1;AES256\n123", [Self.prod], "Vault format unhexlify error: Odd-length string"),
            (
                "$ANSIBLE_VAULT;1.1;AES256\n12zz", [Self.prod],
                "Vault format unhexlify error: Non-hexadecimal digit found"
            ),
            (
                "$ANSIBLE_VAULT;1.1;AES256\n3132", [Self.prod],
                "Vault vaulttext format error: it holds 1 of the 3 parts: salt, HMAC, cipher text"
            ),
            (
                String(vault.dropLast(5)), [Self.prod],
                "Vault vaulttext format error: it is cut off, or a part has the wrong length"
            ),
            (
                "$ANSIBLE_VAULT", [Self.prod],
                "Vault envelope format error: the header has 1 parts: expected '$ANSIBLE_VAULT;1.1;AES256'"
            ),
        ]
        for (text, secrets, message) in cases {
            let error = #expect(throws: VaultError.self) { try Vault.decrypt(text, with: secrets) }
            #expect(error?.description == message)
        }
        #expect(throws: VaultError.self) { try Vault.encrypt([1], with: VaultSecret(password: Secret(""))) }
    }

    /// Whatever happens to a vault's text: an error, never a crash, never other plain text.
    @Test func survivesChangedText() throws {
        let vault = Array(try Vault.encrypt(Array("attack at dawn".utf8), with: Self.plain).utf8)
        var generator = Generator(state: 42)
        for _ in 0..<150 {
            var text = vault
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                let index = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: text[index] = UInt8.random(in: 0...127, using: &generator)
                case 1: text.remove(at: index)
                default: text.removeSubrange(index...)
                }
                if text.isEmpty { break }
            }
            let result = try? Vault.decrypt(String(decoding: text, as: UTF8.self), with: [Self.plain])
            #expect(result == nil || result == Array("attack at dawn".utf8))
        }
    }

    private func contents(_ name: String) throws -> [UInt8] {
        let path = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return try #require(bytes(ofFile: "/\(path)/Cases/\(name)"))
    }

    private func salt(of envelope: String) -> [UInt8]? {
        let digits = envelope.split(separator: "\n").dropFirst().joined()
        guard let inner = Hex.decode(digits) else { return nil }
        return Hex.decode(inner.prefix { $0 != 10 })
    }
}

/// A small generator with a seed (splitmix64), so that a failure can be repeated.
struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}

func bytes(ofFile path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe read(descriptor, &chunk, chunk.count)
        if count <= 0 { return count == 0 ? bytes : nil }
        bytes += chunk.prefix(count)
    }
}
