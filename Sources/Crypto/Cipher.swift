import COpenSSL

/// AES with a 256 bit key in counter mode: encrypting and decrypting are the same. It hides and does not protect:
/// whoever uses it checks an `HMAC` first.
enum AESCounter {
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - counter: the first counter block, 16 bytes.
    static func apply(to bytes: [UInt8], key: [UInt8], counter: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard key.count == 32, counter.count == 16 else {
            throw CryptoError("AES needs a key of 32 bytes and a counter of 16, not \(key.count) and \(counter.count)")
        }
        OpenSSL.start()
        let context = try CipherContext()
        guard unsafe EVP_EncryptInit_ex(context.pointer, EVP_aes_256_ctr(), nil, key, counter) == 1 else {
            throw .fromOpenSSL("AES is not available")
        }
        var result = [UInt8](repeating: 0, count: bytes.count)
        // The length is a C int: larger inputs go in pieces.
        let piece = 1 << 30
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let count = Int32(min(piece, bytes.count - start))
            let done = unsafe result.withUnsafeMutableBufferPointer { target in
                unsafe bytes.withUnsafeBufferPointer { source in
                    guard let target = target.baseAddress, let source = source.baseAddress else { return false }
                    var written: Int32 = 0
                    let code = unsafe EVP_EncryptUpdate(
                        context.pointer, target + start, &written, source + start, count)
                    return code == 1 && written == count
                }
            }
            guard done else { throw .fromOpenSSL("AES stopped") }
        }
        return result
    }
}

/// Keys from passwords by PBKDF2 with HMAC-SHA256 (RFC 8018).
package enum PasswordKey {
    /// - Parameter length: of the key, in bytes.
    package static func derived(
        from password: [UInt8], salt: [UInt8], rounds: Int, length: Int
    ) throws(CryptoError) -> [UInt8] {
        OpenSSL.start()
        var key = [UInt8](repeating: 0, count: length)
        let isDone = unsafe password.withUnsafeBytes { password in
            let text = unsafe password.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe PKCS5_PBKDF2_HMAC(
                text, Int32(clamping: password.count), salt, Int32(clamping: salt.count), Int32(clamping: rounds),
                EVP_sha256(), Int32(clamping: length), &key) == 1
        }
        guard isDone else { throw .fromOpenSSL("no key can be made of the password") }
        return key
    }
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe CRYPTO_memcmp(left, right, left.count) == 0
}

/// The owner of one `EVP_CIPHER_CTX`.
@safe private struct CipherContext: ~Copyable {
    let pointer: OpaquePointer

    init() throws(CryptoError) {
        guard let pointer = unsafe EVP_CIPHER_CTX_new() else { throw CryptoError("no memory for a cipher") }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_CIPHER_CTX_free(pointer) }
}

/// What libcrypto could not do. Only a broken or restricted OpenSSL gets here.
package struct CryptoError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    init(_ message: String) { self.message = message }
    package var description: String { message }

    /// The message with OpenSSL's own reason behind it; empties OpenSSL's queue of errors.
    static func fromOpenSSL(_ message: String) -> CryptoError {
        CryptoError(OpenSSL.reason().map { "\(message): \($0)" } ?? message)
    }
}

/// The library's state for the whole process.
enum OpenSSL {
    private static let started: Bool = {
        // Without openssl.cnf: it may name providers to load, and a static executable cannot load any.
        let options = UInt64(OPENSSL_INIT_NO_LOAD_CONFIG) | UInt64(OPENSSL_INIT_NO_ATEXIT)
        return OPENSSL_init_crypto(options, nil) == 1
    }()

    /// Initializes the library once; before the first use of an `EVP_` or `SSL_` function.
    static func start() { _ = started }

    /// The reason of the oldest error in this thread's queue, as OpenSSL words it; empties the queue.
    static func reason() -> String? {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return nil }
        if let text = unsafe ERR_reason_error_string(code) { return unsafe String(cString: text) }
        return "error \(String(code, radix: 16))"
    }
}
