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
    private var state: State

    private enum State {
        case md5(MD5_CTX)
        case sha1(SHA_CTX)
        case sha256(SHA256_CTX)
        case sha512(SHA512_CTX)
    }

    package init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .md5:
            var context = MD5_CTX()
            unsafe MD5_Init(&context)
            state = .md5(context)
        case .sha1:
            var context = SHA_CTX()
            unsafe SHA1_Init(&context)
            state = .sha1(context)
        case .sha224, .sha256:
            var context = SHA256_CTX()
            if algorithm == .sha224 { unsafe SHA224_Init(&context) } else { unsafe SHA256_Init(&context) }
            state = .sha256(context)
        case .sha384, .sha512:
            var context = SHA512_CTX()
            if algorithm == .sha384 { unsafe SHA384_Init(&context) } else { unsafe SHA512_Init(&context) }
            state = .sha512(context)
        }
    }

    /// Takes in more bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            switch state {
            case .md5(var context):
                unsafe MD5_Update(&context, start, buffer.count)
                state = .md5(context)
            case .sha1(var context):
                unsafe SHA1_Update(&context, start, buffer.count)
                state = .sha1(context)
            case .sha256(var context):
                unsafe SHA256_Update(&context, start, buffer.count)
                state = .sha256(context)
            case .sha512(var context):
                unsafe SHA512_Update(&context, start, buffer.count)
                state = .sha512(context)
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

    /// Writes the digest over the first bytes of an array, which has at least `algorithm.length` of them.
    func finish(into bytes: inout [UInt8]) {
        guard bytes.count >= algorithm.length else { return }
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            let target = buffer.baseAddress
            switch state {
            case .md5(var context): unsafe MD5_Final(target, &context)
            case .sha1(var context): unsafe SHA1_Final(target, &context)
            case .sha256(var context):
                if algorithm == .sha224 {
                    unsafe SHA224_Final(target, &context)
                } else {
                    unsafe SHA256_Final(target, &context)
                }
            case .sha512(var context):
                if algorithm == .sha384 {
                    unsafe SHA384_Final(target, &context)
                } else {
                    unsafe SHA512_Final(target, &context)
                }
            }
        }
    }
}
