import COpenSSL

/// The digests that playbooks and bundles name.
package enum DigestAlgorithm: String, Sendable, CaseIterable {
    case md5, sha1, sha224, sha256, sha384, sha512

    /// The length of a digest in bytes.
    package var length: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha224: 28
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The length in bytes of the blocks that the algorithm takes in; what HMAC pads its key to.
    var blockLength: Int {
        switch self {
        case .md5, .sha1, .sha224, .sha256: 64
        case .sha384, .sha512: 128
        }
    }

    /// The digest of bytes that are all at hand.
    package func digest(of bytes: [UInt8]) -> [UInt8] {
        var digest = Digest(self)
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest as lower-case hexadecimal digits.
    package func hex(of bytes: [UInt8]) -> String { Hex.encode(digest(of: bytes)) }

    /// The digest of a string's UTF-8, as lower-case hexadecimal digits.
    package func hex(of text: String) -> String { hex(of: Array(text.utf8)) }
}

/// A digest in the making: `update` any number of times, then `finish` once.
///
/// It is a plain value: a copy goes on from where the original was. OpenSSL's low-level contexts make it so; they
/// need no memory of their own, cannot fail, and cost no look-up, which a password hash of 656,000 rounds would feel.
package struct Digest: Sendable {
    package let algorithm: DigestAlgorithm
    /// The largest of the contexts. The others live in its first bytes, so that all are updated in place.
    private var storage = SHA512_CTX()

    package init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        unsafe withContext { context in
            switch algorithm {
            case .md5: unsafe MD5_Init(context.assumingMemoryBound(to: MD5_CTX.self))
            case .sha1: unsafe SHA1_Init(context.assumingMemoryBound(to: SHA_CTX.self))
            case .sha224: unsafe SHA224_Init(context.assumingMemoryBound(to: SHA256_CTX.self))
            case .sha256: unsafe SHA256_Init(context.assumingMemoryBound(to: SHA256_CTX.self))
            case .sha384: unsafe SHA384_Init(context.assumingMemoryBound(to: SHA512_CTX.self))
            case .sha512: unsafe SHA512_Init(context.assumingMemoryBound(to: SHA512_CTX.self))
            }
        }
    }

    /// Takes in more bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        let algorithm = algorithm
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress, buffer.count > 0 else { return }
            let count = buffer.count
            unsafe withContext { context in
                switch algorithm {
                case .md5: unsafe MD5_Update(context.assumingMemoryBound(to: MD5_CTX.self), start, count)
                case .sha1: unsafe SHA1_Update(context.assumingMemoryBound(to: SHA_CTX.self), start, count)
                case .sha224, .sha256:
                    unsafe SHA256_Update(context.assumingMemoryBound(to: SHA256_CTX.self), start, count)
                case .sha384, .sha512:
                    unsafe SHA512_Update(context.assumingMemoryBound(to: SHA512_CTX.self), start, count)
                }
            }
        }
    }

    package mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

    /// The digest of all that was taken in.
    package consuming func finish() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: algorithm.length)
        finish(into: &bytes)
        return bytes
    }

    /// The digest as lower-case hexadecimal digits.
    package consuming func finishHex() -> String { Hex.encode(finish()) }

    /// Writes the digest over the first bytes of an array, which has at least `algorithm.length` of them. After it
    /// this value is used up.
    mutating func finish(into bytes: inout [UInt8]) {
        guard bytes.count >= algorithm.length else { return }
        let algorithm = algorithm
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            let target = buffer.baseAddress
            unsafe withContext { context in
                switch algorithm {
                case .md5: unsafe MD5_Final(target, context.assumingMemoryBound(to: MD5_CTX.self))
                case .sha1: unsafe SHA1_Final(target, context.assumingMemoryBound(to: SHA_CTX.self))
                case .sha224: unsafe SHA224_Final(target, context.assumingMemoryBound(to: SHA256_CTX.self))
                case .sha256: unsafe SHA256_Final(target, context.assumingMemoryBound(to: SHA256_CTX.self))
                case .sha384: unsafe SHA384_Final(target, context.assumingMemoryBound(to: SHA512_CTX.self))
                case .sha512: unsafe SHA512_Final(target, context.assumingMemoryBound(to: SHA512_CTX.self))
                }
            }
        }
    }

    /// SHA-512 from the start that FIPS 180-4 makes for each shorter length: a digest of that length's name.
    static func shortened(to bits: Int, of bytes: [UInt8]) -> [UInt8] {
        var maker = Digest(.sha512)
        maker.start { $0 ^ 0xa5a5_a5a5_a5a5_a5a5 }
        maker.update(Array("SHA-512/\(bits)".utf8))
        let words = maker.finish()
        var digest = Digest(.sha512)
        var at = 0
        digest.start { _ in
            defer { at += 8 }
            return words[at..<(at + 8)].reduce(0) { $0 << 8 | UInt64($1) }
        }
        digest.update(bytes)
        return Array(digest.finish().prefix(bits / 8))
    }

    private mutating func start(_ word: (UInt64) -> UInt64) {
        let old = storage.h
        storage.h = (
            word(old.0), word(old.1), word(old.2), word(old.3), word(old.4), word(old.5), word(old.6), word(old.7)
        )
    }

    static func ripemd160(of bytes: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 20)
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe result.withUnsafeMutableBufferPointer { target in
                _ = unsafe RIPEMD160(source.baseAddress, source.count, target.baseAddress)
            }
        }
        return result
    }

    private mutating func withContext(_ use: (UnsafeMutableRawPointer) -> Void) {
        unsafe withUnsafeMutablePointer(to: &storage) { unsafe use(UnsafeMutableRawPointer($0)) }
    }
}
