/// A digest by the name that Python's `hashlib` has for it, of bytes that are all at hand.
///
/// Beside the algorithms of `DigestAlgorithm`: SHA-3, BLAKE2, the shortened forms of SHA-512 and RIPEMD-160. They are
/// asked for by name only, in checksums that somebody else has published.
package enum ContentDigest: Sendable, Equatable {
    case plain(DigestAlgorithm)
    /// SHA-3 of so many bits.
    case keccak(Int)
    case blake2b, blake2s, ripemd160
    /// SHA-512 from another start, of so many bits.
    case shortened(Int)

    package static let names =
        DigestAlgorithm.allCases.map(\.rawValue) + [
            "sha512_224", "sha512_256", "sha3_224", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s",
            "ripemd160",
        ]

    package init?(named name: String) {
        if let algorithm = DigestAlgorithm(rawValue: name) {
            self = .plain(algorithm)
            return
        }
        switch name {
        case "sha512_224", "sha512-224": self = .shortened(224)
        case "sha512_256", "sha512-256": self = .shortened(256)
        case "sha3_224", "sha3-224": self = .keccak(224)
        case "sha3_256", "sha3-256": self = .keccak(256)
        case "sha3_384", "sha3-384": self = .keccak(384)
        case "sha3_512", "sha3-512": self = .keccak(512)
        case "blake2b", "blake2b512": self = .blake2b
        case "blake2s", "blake2s256": self = .blake2s
        case "ripemd160", "rmd160": self = .ripemd160
        default: return nil
        }
    }

    package func digest(of bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .plain(let algorithm): algorithm.digest(of: bytes)
        case .shortened(let bits): Digest.shortened(to: bits, of: bytes)
        case .ripemd160: Digest.ripemd160(of: bytes)
        case .keccak(let bits): Keccak.digest(of: bytes, bits: bits)
        case .blake2b: Blake2<UInt64>.b.digest(of: bytes)
        case .blake2s: Blake2<UInt32>.s.digest(of: bytes)
        }
    }

    /// The digest as lower-case hexadecimal digits.
    package func hex(of bytes: [UInt8]) -> String { Hex.encode(digest(of: bytes)) }
    package func hex(of text: String) -> String { hex(of: Array(text.utf8)) }
}

/// The sponge under SHA-3 (FIPS 202).
private enum Keccak {
    private static let turns = [
        1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
    ]
    private static let lanes = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1]

    static func digest(of bytes: [UInt8], bits: Int) -> [UInt8] {
        let rate = 200 - bits / 4
        var padded = bytes + [0x06]
        padded += [UInt8](repeating: 0, count: (rate - padded.count % rate) % rate)
        padded[padded.count - 1] |= 0x80
        var state = [UInt64](repeating: 0, count: 25)
        for start in stride(from: 0, to: padded.count, by: rate) {
            for offset in 0..<rate { state[offset / 8] ^= UInt64(padded[start + offset]) << UInt64(offset % 8 * 8) }
            permute(&state)
        }
        return (0..<(bits / 8)).map { UInt8(truncatingIfNeeded: state[$0 / 8] >> UInt64($0 % 8 * 8)) }
    }

    private static func permute(_ state: inout [UInt64]) {
        // The constants of the rounds come out of a shift register.
        var register: UInt8 = 1
        for _ in 0..<24 {
            let columns = (0..<5).map { x in (0..<5).reduce(UInt64(0)) { $0 ^ state[x + 5 * $1] } }
            for x in 0..<5 {
                let mix = columns[(x + 4) % 5] ^ turned(columns[(x + 1) % 5], 1)
                for y in 0..<5 { state[x + 5 * y] ^= mix }
            }
            var carried = state[1]
            for (lane, turn) in zip(lanes, turns) { (state[lane], carried) = (turned(carried, turn), state[lane]) }
            for y in stride(from: 0, to: 25, by: 5) {
                let row = Array(state[y..<(y + 5)])
                for x in 0..<5 { state[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]) }
            }
            for bit in 0..<7 {
                if register & 1 == 1 { state[0] ^= UInt64(1) << UInt64((1 << bit) - 1) }
                register = register & 0x80 == 0 ? register << 1 : register << 1 ^ 0x71
            }
        }
    }

    private static func turned(_ lane: UInt64, _ by: Int) -> UInt64 { lane << UInt64(by) | lane >> UInt64(64 - by) }
}

/// BLAKE2 (RFC 7693) without a key, of its full length.
private struct Blake2<Word: FixedWidthInteger & UnsignedInteger> {
    private let start: [Word]
    private let rounds: Int
    private let turns: [Int]

    private static var orders: [[Int]] {
        [
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
            [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
            [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
            [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
            [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
            [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
            [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
            [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
            [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
            [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        ]
    }

    func digest(of bytes: [UInt8]) -> [UInt8] {
        let width = Word.bitWidth / 8
        let block = 16 * width
        var state = start
        state[0] ^= 0x0101_0000 ^ Word(8 * width)
        var at = 0
        repeat {
            let chunk = bytes[at..<min(at + block, bytes.count)]
            at += chunk.count
            var words = [Word](repeating: 0, count: 16)
            for (offset, byte) in chunk.enumerated() { words[offset / width] |= Word(byte) << Word(offset % width * 8) }
            mix(&state, words, taken: at, isLast: at == bytes.count)
        } while at < bytes.count
        return state.flatMap { word in (0..<width).map { UInt8(truncatingIfNeeded: word >> Word($0 * 8)) } }
    }

    private func mix(_ state: inout [Word], _ words: [Word], taken: Int, isLast: Bool) {
        var v = state + start
        v[12] ^= Word(truncatingIfNeeded: taken)
        v[13] ^= Word.bitWidth == 64 ? 0 : Word(truncatingIfNeeded: taken >> 32)
        if isLast { v[14] = ~v[14] }
        func turned(_ word: Word, _ by: Int) -> Word { word >> Word(by) | word << Word(Word.bitWidth - by) }
        func step(_ a: Int, _ b: Int, _ c: Int, _ d: Int, _ x: Word, _ y: Word) {
            v[a] = v[a] &+ v[b] &+ x
            v[d] = turned(v[d] ^ v[a], turns[0])
            v[c] = v[c] &+ v[d]
            v[b] = turned(v[b] ^ v[c], turns[1])
            v[a] = v[a] &+ v[b] &+ y
            v[d] = turned(v[d] ^ v[a], turns[2])
            v[c] = v[c] &+ v[d]
            v[b] = turned(v[b] ^ v[c], turns[3])
        }
        for round in 0..<rounds {
            let order = Self.orders[round % 10]
            for lane in 0..<4 {
                step(lane, 4 + lane, 8 + lane, 12 + lane, words[order[2 * lane]], words[order[2 * lane + 1]])
            }
            for lane in 0..<4 {
                step(
                    lane, 4 + (lane + 1) % 4, 8 + (lane + 2) % 4, 12 + (lane + 3) % 4, words[order[8 + 2 * lane]],
                    words[order[9 + 2 * lane]])
            }
        }
        for index in 0..<8 { state[index] ^= v[index] ^ v[index + 8] }
    }
}

extension Blake2<UInt64> {
    static var b: Blake2 {
        Blake2(
            start: [
                0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
                0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
            ], rounds: 12, turns: [32, 24, 16, 63])
    }
}

extension Blake2<UInt32> {
    static var s: Blake2 {
        Blake2(
            start: [
                0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
            ], rounds: 10, turns: [16, 12, 8, 7])
    }
}
