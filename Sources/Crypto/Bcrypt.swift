import Values

extension PasswordHash {
    /// `$2b$…`: bcrypt.
    ///
    /// - Parameters:
    ///   - password: only its first 72 bytes count.
    ///   - salt: 22 characters of `./A-Za-z0-9`; `nil` comes back for another salt.
    ///   - cost: the logarithm of the rounds, 4 to 31.
    package static func bcrypt(_ password: String, salt: String, cost: Int = 12, mark: String = "2b") -> String? {
        guard (4...31).contains(cost), salt.utf8.count == 22, let saltBytes = BcryptText.decode(salt) else {
            return nil
        }
        let key = Array((Array(password.utf8) + [0]).prefix(72))
        var cipher = Blowfish()
        cipher.expand(key: key, salt: saltBytes)
        for _ in 0..<(1 << cost) {
            cipher.expand(key: key)
            cipher.expand(key: saltBytes)
        }
        var output: [UInt8] = []
        let words = Blowfish.words("OrpheanBeholderScryDoubt".utf8)
        for index in stride(from: 0, to: words.count, by: 2) {
            var pair = (words[index], words[index + 1])
            for _ in 0..<64 { pair = cipher.encrypted(pair) }
            for word in [pair.0, pair.1] {
                for shift in [24, 16, 8, 0] { output.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
            }
        }
        let number = cost < 10 ? "0\(cost)" : "\(cost)"
        return "$\(mark)$\(number)$\(BcryptText.encode(saltBytes))\(BcryptText.encode(output.dropLast()))"
    }
}

/// bcrypt's own base64: another alphabet, no padding.
private enum BcryptText {
    private static let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(buffer >> bits & 63)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(buffer << (6 - bits) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
        }
        return bytes
    }
}

/// The block cipher under bcrypt.
private struct Blowfish {
    /// The 18 subkeys and, right behind them, the boxes.
    private var tables: [UInt32]

    /// The first state: the digits of pi, since they are nobody's choice.
    private static let digits = Pi.fraction(words: 18 + 4 * 256)

    init() { tables = Self.digits }

    mutating func encrypted(_ pair: (UInt32, UInt32)) -> (UInt32, UInt32) {
        unsafe withTables { subkeys, boxes in unsafe Self.encrypted(pair, subkeys, boxes) }
    }

    private typealias Words = UnsafeMutablePointer<UInt32>

    private mutating func withTables<Result>(_ use: (_ subkeys: Words, _ boxes: Words) -> Result) -> Result {
        unsafe tables.withUnsafeMutableBufferPointer { buffer in
            // Never empty: 18 subkeys, then four boxes of 256 words.
            unsafe use(buffer.baseAddress.unsafelyUnwrapped, buffer.baseAddress.unsafelyUnwrapped + 18)
        }
    }

    private static func encrypted(_ pair: (UInt32, UInt32), _ subkeys: Words, _ boxes: Words) -> (UInt32, UInt32) {
        var (left, right) = pair
        var round = 0
        while round < 16 {
            left ^= unsafe subkeys[round]
            right ^= unsafe mixed(left, boxes)
            right ^= unsafe subkeys[round + 1]
            left ^= unsafe mixed(right, boxes)
            round += 2
        }
        return unsafe (right ^ subkeys[17], left ^ subkeys[16])
    }

    private static func mixed(_ word: UInt32, _ boxes: Words) -> UInt32 {
        let sum = unsafe boxes[Int(word >> 24)] &+ boxes[256 + Int(word >> 16 & 255)]
        return unsafe (sum ^ boxes[512 + Int(word >> 8 & 255)]) &+ boxes[768 + Int(word & 255)]
    }

    /// bcrypt's key schedule; without a salt it is Blowfish's own. It takes the most time by far, so it works on
    /// pointers: every index is a constant or a byte.
    mutating func expand(key: [UInt8], salt: [UInt8] = [UInt8](repeating: 0, count: 16)) {
        var keyWords = [UInt32](repeating: 0, count: 18)
        for index in 0..<72 { keyWords[index / 4] = keyWords[index / 4] << 8 | UInt32(key[index % key.count]) }
        let saltWords = Self.words(salt)
        unsafe withTables { subkeys, boxes in
            for index in 0..<18 { unsafe subkeys[index] ^= keyWords[index] }
            var pair: (UInt32, UInt32) = (0, 0)
            var index = 0
            while index < 18 + 1024 {
                // Every other pair of words meets the second half of the salt, counted from the first subkey on.
                let half = index & 2
                pair = (pair.0 ^ saltWords[half], pair.1 ^ saltWords[half + 1])
                pair = unsafe Self.encrypted(pair, subkeys, boxes)
                unsafe (subkeys[index], subkeys[index + 1]) = pair
                index += 2
            }
        }
    }

    /// Big-endian words of bytes.
    static func words(_ bytes: some Sequence<UInt8>) -> [UInt32] {
        var words: [UInt32] = []
        for (index, byte) in bytes.enumerated() {
            if index % 4 == 0 { words.append(0) }
            words[index / 4] = words[index / 4] << 8 | UInt32(byte)
        }
        return words
    }
}

/// Pi by Machin's formula, 16·arctan(1/5) - 4·arctan(1/239), in fixed point: words after the first are the fraction.
private enum Pi {
    /// The first words of the fraction, 32 bits each.
    static func fraction(words count: Int) -> [UInt32] {
        // Two words more take up what each of the few thousand divisions cuts off.
        let size = count + 3
        var sum = arctangent(16, of: 5, size: size)
        let other = arctangent(4, of: 239, size: size)
        add(other, to: &sum, subtracting: true)
        return Array(sum[1...count])
    }

    /// `factor * arctan(1 / divisor)` by its power series.
    private static func arctangent(_ factor: UInt32, of divisor: UInt32, size: Int) -> [UInt32] {
        var power = [UInt32](repeating: 0, count: size)
        power[0] = factor
        power = quotient(power, by: divisor, from: 0)
        var sum = power
        var term = power
        var start = 0
        var number: UInt32 = 1
        while true {
            while start < size, power[start] == 0 { start += 1 }
            if start == size { return sum }
            power = quotient(power, by: divisor * divisor, from: start)
            number += 2
            term = quotient(power, by: number, from: start)
            add(term, to: &sum, subtracting: number % 4 == 3)
        }
    }

    /// Words before `start` are zero.
    private static func quotient(_ number: [UInt32], by divisor: UInt32, from start: Int) -> [UInt32] {
        var result = [UInt32](repeating: 0, count: number.count)
        var rest: UInt64 = 0
        for index in start..<number.count {
            let part = rest << 32 | UInt64(number[index])
            result[index] = UInt32(truncatingIfNeeded: part / UInt64(divisor))
            rest = part % UInt64(divisor)
        }
        return result
    }

    private static func add(_ number: [UInt32], to sum: inout [UInt32], subtracting: Bool) {
        var carry = false
        for index in sum.indices.reversed() {
            if subtracting {
                let (first, borrow) = sum[index].subtractingReportingOverflow(number[index])
                let (second, again) = first.subtractingReportingOverflow(carry ? 1 : 0)
                sum[index] = second
                carry = borrow || again
            } else {
                let (first, over) = sum[index].addingReportingOverflow(number[index])
                let (second, again) = first.addingReportingOverflow(carry ? 1 : 0)
                sum[index] = second
                carry = over || again
            }
        }
    }
}
