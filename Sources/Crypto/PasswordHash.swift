/// Password hashes for `/etc/shadow`, as `crypt(3)` makes them.
package enum PasswordHash {
    /// The 64 characters of crypt's own numbers, lowest first.
    private static let alphabet = Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Random characters for a salt: 16 for SHA-2, 8 for MD5, 22 for bcrypt.
    package static func salt(length: Int = 16) -> String {
        String(decoding: randomBytes(length).map { alphabet[Int($0 & 63)] }, as: UTF8.self)
    }

    /// `$6$…`: SHA-512. Without `rounds` it is 5000 and the hash does not say so.
    package static func sha512(_ password: String, salt: String, rounds: Int? = nil) -> String {
        sha2(.sha512, mark: "$6$", password, salt: salt, rounds: rounds)
    }

    /// `$5$…`: SHA-256. Without `rounds` it is 5000 and the hash does not say so.
    package static func sha256(_ password: String, salt: String, rounds: Int? = nil) -> String {
        sha2(.sha256, mark: "$5$", password, salt: salt, rounds: rounds)
    }

    /// `$1$…`: MD5, for systems that know nothing better.
    package static func md5(_ password: String, salt: String) -> String {
        let password = Array(password.utf8)
        let salt = Array(Array(salt.utf8).prefix(8))
        let second = DigestAlgorithm.md5.digest(of: password + salt + password)
        var first = Digest(.md5)
        first.update(password + Array("$1$".utf8) + salt)
        first.update(repeated(second, to: password.count))
        for bit in bits(of: password.count) { first.update(bit ? [0] : Array(password.prefix(1))) }
        let final = stretched(first, rounds: 1000, password: password, salt: salt)

        var text = Array("$1$".utf8) + salt + [UInt8(ascii: "$")]
        for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
            append(final[a], final[b], final[c], count: 4, to: &text)
        }
        append(0, 0, final[11], count: 2, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The algorithm of https://www.akkadia.org/drepper/SHA-crypt.txt, whose names (A, B, DP, DS) the comments use.
    private static func sha2(
        _ algorithm: DigestAlgorithm, mark: String, _ password: String, salt: String, rounds: Int?
    ) -> String {
        let password = Array(password.utf8)
        let salt = Array(Array(salt.utf8).prefix(16))
        let rounds = rounds.map { min(max($0, 1000), 999_999_999) }

        let b = algorithm.digest(of: password + salt + password)
        var a = Digest(algorithm)
        a.update(password + salt)
        a.update(repeated(b, to: password.count))
        for bit in bits(of: password.count) { a.update(bit ? b : password) }
        let start = a.finish()

        var dp = Digest(algorithm)
        for _ in password { dp.update(password) }
        var ds = Digest(algorithm)
        for _ in 0..<(16 + Int(start[0])) { ds.update(salt) }
        let final = stretched(
            a, rounds: rounds ?? 5000, password: repeated(dp.finish(), to: password.count),
            salt: repeated(ds.finish(), to: salt.count))

        var text = Array(mark.utf8)
        if let rounds { text += Array("rounds=\(rounds)$".utf8) }
        text += salt + [UInt8(ascii: "$")]
        appendDigest(final, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The rounds that all three have in common: each mixes the last digest with password and salt.
    private static func stretched(_ first: Digest, rounds: Int, password: [UInt8], salt: [UInt8]) -> [UInt8] {
        let fresh = Digest(first.algorithm)
        var last = first.finish()
        for round in 0..<rounds {
            var digest = fresh
            digest.update(round & 1 == 1 ? password : last)
            if round % 3 != 0 { digest.update(salt) }
            if round % 7 != 0 { digest.update(password) }
            digest.update(round & 1 == 1 ? last : password)
            digest.finish(into: &last)
        }
        return last
    }

    /// SHA-2 digests as text: groups of three bytes from the three thirds of the digest, each group's roles rotated.
    private static func appendDigest(_ digest: [UInt8], to text: inout [UInt8]) {
        let third = digest.count / 3
        var (a, b, c) = (0, third, third * 2)
        for _ in 0..<third {
            append(digest[a], digest[b], digest[c], count: 4, to: &text)
            (a, b, c) = digest.count == 64 ? (b + 1, c + 1, a + 1) : (c + 1, a + 1, b + 1)
        }
        if digest.count == 64 {
            append(0, 0, digest[63], count: 2, to: &text)
        } else {
            append(0, digest[31], digest[30], count: 3, to: &text)
        }
    }

    private static func append(_ a: UInt8, _ b: UInt8, _ c: UInt8, count: Int, to text: inout [UInt8]) {
        var number = Int(a) << 16 | Int(b) << 8 | Int(c)
        for _ in 0..<count {
            text.append(alphabet[number & 63])
            number >>= 6
        }
    }

    private static func repeated(_ bytes: [UInt8], to count: Int) -> [UInt8] {
        (0..<count).map { bytes[$0 % bytes.count] }
    }

    /// The bits of a length, lowest first, up to the highest that is set.
    private static func bits(of length: Int) -> [Bool] {
        (0..<(Int.bitWidth - length.leadingZeroBitCount)).map { length >> $0 & 1 == 1 }
    }
}
