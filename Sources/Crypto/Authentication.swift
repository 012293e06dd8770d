/// A keyed digest (RFC 2104): who does not know the key cannot make it. Streaming, like `Digest`.
package struct HMAC: Sendable {
    private var inner: Digest
    private var outer: Digest

    package init(_ algorithm: DigestAlgorithm = .sha256, key: [UInt8]) {
        var block = key.count > algorithm.blockLength ? algorithm.digest(of: key) : key
        block += [UInt8](repeating: 0, count: algorithm.blockLength - block.count)
        inner = Digest(algorithm)
        inner.update(block.map { $0 ^ 0x36 })
        outer = Digest(algorithm)
        outer.update(block.map { $0 ^ 0x5c })
    }

    package mutating func update(_ bytes: [UInt8]) { inner.update(bytes) }

    /// The code of all that was taken in.
    package consuming func finish() -> [UInt8] {
        var code = [UInt8](repeating: 0, count: inner.algorithm.length)
        finish(into: &code)
        return code
    }

    /// The code of bytes that are all at hand.
    package static func code(_ algorithm: DigestAlgorithm = .sha256, key: [UInt8], of bytes: [UInt8]) -> [UInt8] {
        var code = HMAC(algorithm, key: key)
        code.update(bytes)
        return code.finish()
    }

    /// Writes the code into an array of exactly its length.
    fileprivate mutating func finish(into code: inout [UInt8]) {
        inner.finish(into: &code)
        outer.update(code)
        outer.finish(into: &code)
    }
}

/// Bytes that nobody can guess, from the kernel.
package func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}
