import Values

/// The text of a private key, and as much about it as can be seen without its passphrase.
struct PrivateKey: Sendable {
    /// How to name it to people.
    let name: String
    let text: [UInt8]
    /// `nil` where the format hides it (an encrypted key in PEM, without a `.pub` file beside it).
    let publicKey: PublicKey?
    let isEncrypted: Bool
    private let label: String

    /// The kind, for people: `ssh-rsa`.
    var kind: String? {
        publicKey?.kind ?? (label == "RSA PRIVATE KEY" ? "ssh-rsa" : nil)
    }

    var isRSA: Bool { kind == "ssh-rsa" }

    /// - Returns: `nil` for text that is not a private key.
    init?(name: String, text: [UInt8], publicLine: String?) {
        let string = String(decoding: text, as: UTF8.self)
        let lines = string.split(whereSeparator: \.isNewline)
        guard
            let begin = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") && $0.contains("PRIVATE KEY-----") }),
            let end = lines[begin...].firstIndex(where: { $0.hasPrefix("-----END ") })
        else { return nil }
        self.name = name
        self.text = text.last == 10 ? text : text + [10]
        label = String(lines[begin].dropFirst(11).dropLast(5))
        let beside = publicLine.flatMap { PublicKey(line: $0) }
        guard label == "OPENSSH PRIVATE KEY" else {
            publicKey = beside
            isEncrypted = label.hasPrefix("ENCRYPTED") || lines[begin...].contains { $0.hasSuffix(",ENCRYPTED") }
            return
        }
        // openssh-key-v1: a magic word, then cipher, key derivation, its options, the number of keys, the public key.
        let magic = Array("openssh-key-v1\0".utf8)
        let body = lines[(begin + 1)..<end].joined()
        guard let bytes = base64Decoded(body.utf8), bytes.starts(with: magic) else { return nil }
        var fields = FieldReader(Array(bytes.dropFirst(magic.count)))
        guard let cipher = fields.text(), fields.string() != nil, fields.string() != nil, fields.number() == 1,
            let blob = fields.string()
        else { return nil }
        isEncrypted = cipher != "none"
        publicKey = PublicKey(blob: blob)
    }
}
