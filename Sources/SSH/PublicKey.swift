/// A public key as it travels: the name of its kind, then the numbers.
struct PublicKey: Sendable, Hashable {
    let blob: [UInt8]

    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, …
    var kind: String {
        var fields = FieldReader(blob)
        return fields.text() ?? "unknown"
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    var fingerprint: String { "SHA256:" + base64(sha256(blob), padded: false) }

    /// `ssh-ed25519 AAAA…`
    var line: String { "\(kind) \(base64(blob))" }

    init(blob: [UInt8]) { self.blob = blob }

    /// Reads a line of a `.pub` file.
    init?(line: String) {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" })
        guard words.count >= 2, let blob = base64Decoded(words[1].utf8) else { return nil }
        self.init(blob: blob)
        guard kind == words[0] else { return nil }
    }
}
