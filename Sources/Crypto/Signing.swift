import COpenSSL

/// The secret half of an Ed25519 key pair (RFC 8032): makes signatures.
///
/// Its file is one line, `gantry-ed25519-secret BASE64`, of the 32 byte seed.
package struct SigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    private let seed: [UInt8]
    /// The half that everyone may know.
    package let verifyingKey: VerifyingKey

    private static let word = "gantry-ed25519-secret"

    /// A new key.
    package static func generate() throws(CryptoError) -> SigningKey { try SigningKey(seed: randomBytes(32)) }

    /// The key with a seed of 32 bytes.
    package init(seed: [UInt8]) throws(CryptoError) {
        let key = try KeyHandle(secret: seed)
        var raw = [UInt8](repeating: 0, count: 32)
        var count = raw.count
        guard unsafe EVP_PKEY_get_raw_public_key(key.pointer, &raw, &count) == 1, count == raw.count else {
            throw .fromOpenSSL("no public key of this secret key")
        }
        self.seed = seed
        verifyingKey = try VerifyingKey(bytes: raw)
    }

    /// Reads the text of a key file.
    package init(text: String) throws(CryptoError) {
        try self.init(seed: keyBytes(of: text, word: Self.word, kind: "secret"))
    }

    /// The text of a key file, to be kept secret; ends with a line end.
    package var text: String { "\(Self.word) \(Base64.encode(seed))\n" }

    /// The signature of a message: 64 bytes, always the same for the same message.
    package func signature(of message: [UInt8]) throws(CryptoError) -> [UInt8] {
        let key = try KeyHandle(secret: seed)
        let context = try DigestContext()
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard unsafe EVP_DigestSignInit(context.pointer, nil, nil, nil, key.pointer) == 1,
            unsafe EVP_DigestSign(context.pointer, &signature, &count, message, message.count) == 1, count == 64
        else { throw .fromOpenSSL("this key cannot sign") }
        return signature
    }

    package var description: String { "(hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The public half of an Ed25519 key pair: checks signatures.
///
/// Its file is one line, `gantry-ed25519 BASE64`, of the 32 bytes.
package struct VerifyingKey: Sendable, Hashable, CustomStringConvertible {
    package let bytes: [UInt8]

    private static let word = "gantry-ed25519"

    /// The key of 32 bytes.
    package init(bytes: [UInt8]) throws(CryptoError) {
        guard bytes.count == 32 else {
            throw CryptoError("an Ed25519 public key has 32 bytes, this has \(bytes.count)")
        }
        self.bytes = bytes
    }

    /// Reads the text of a key file, or the same line given on a command line. A comment may follow the key.
    package init(text: String) throws(CryptoError) {
        try self.init(bytes: keyBytes(of: text, word: Self.word, kind: "public"))
    }

    /// The text of a key file; ends with a line end.
    package var text: String { "\(self)\n" }
    package var description: String { "\(Self.word) \(Base64.encode(bytes))" }

    /// Whether the secret half of this key signed the message.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == 64, let key = try? KeyHandle(public: bytes), let context = try? DigestContext()
        else { return false }
        let isRight =
            unsafe EVP_DigestVerifyInit(context.pointer, nil, nil, nil, key.pointer) == 1
            && EVP_DigestVerify(context.pointer, signature, signature.count, message, message.count) == 1
        ERR_clear_error()
        return isRight
    }
}

/// The bytes behind the word of a key file's line.
private func keyBytes(of text: String, word: String, kind: String) throws(CryptoError) -> [UInt8] {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count >= 2, parts[0] == word else {
        if parts.first?.hasPrefix("gantry-ed25519") == true {
            throw CryptoError(
                "this is not a \(kind) key but the other half of the pair: its line begins with '\(parts[0])'")
        }
        throw CryptoError("this is not a \(kind) key: expected one line, '\(word) BASE64'")
    }
    let bytes: [UInt8]
    do { bytes = try Base64.decode(parts[1]) } catch { throw CryptoError("damaged \(kind) key: \(error.message)") }
    guard bytes.count == 32 else {
        throw CryptoError("damaged \(kind) key: expected 32 bytes behind '\(word)', found \(bytes.count)")
    }
    return bytes
}

/// The owner of one `EVP_PKEY`.
@safe private struct KeyHandle: ~Copyable {
    let pointer: OpaquePointer

    init(secret seed: [UInt8]) throws(CryptoError) {
        OpenSSL.start()
        guard let pointer = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw .fromOpenSSL("an Ed25519 secret key has 32 bytes, this has \(seed.count)")
        }
        unsafe self.pointer = pointer
    }

    init(public bytes: [UInt8]) throws(CryptoError) {
        OpenSSL.start()
        guard let pointer = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
            throw .fromOpenSSL("not an Ed25519 public key")
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_free(pointer) }
}

/// The owner of one `EVP_MD_CTX`.
@safe private struct DigestContext: ~Copyable {
    let pointer: OpaquePointer

    init() throws(CryptoError) {
        guard let pointer = unsafe EVP_MD_CTX_new() else { throw CryptoError("no memory for a signature") }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_MD_CTX_free(pointer) }
}
