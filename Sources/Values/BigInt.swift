/// A whole number of any size: what Python's arithmetic gives beyond 64 bits.
package struct BigInt: Sendable, Hashable, Comparable {
    package private(set) var isNegative: Bool
    /// Little-endian, without leading zeros; empty for zero.
    private var limbs: [UInt32]

    private init(_ isNegative: Bool, _ limbs: [UInt32]) {
        var trimmed = limbs
        while trimmed.last == 0 { trimmed.removeLast() }
        self.limbs = trimmed
        self.isNegative = isNegative && !trimmed.isEmpty
    }

    package init(_ int: Int) {
        let magnitude = int.magnitude
        self.init(int < 0, [UInt32(truncatingIfNeeded: magnitude), UInt32(truncatingIfNeeded: magnitude >> 32)])
    }

    package init?(digits: String, radix: Int = 10) {
        var limbs: [UInt32] = []
        let body = digits.hasPrefix("-") || digits.hasPrefix("+") ? digits.dropFirst() : digits[...]
        if body.isEmpty { return nil }
        for character in body {
            guard let digit = character.hexDigitValue, digit < radix else { return nil }
            var carry = UInt64(digit)
            for index in limbs.indices {
                let sum = UInt64(limbs[index]) * UInt64(radix) + carry
                limbs[index] = UInt32(truncatingIfNeeded: sum)
                carry = sum >> 32
            }
            if carry > 0 { limbs.append(UInt32(carry)) }
        }
        self.init(digits.hasPrefix("-"), limbs)
    }

    /// A number of so many bits, from words of 32, the lowest first; of the last one the high bits count.
    package init(bits: Int, from next: () -> UInt32) {
        var limbs: [UInt32] = []
        var left = bits
        while left > 0 {
            limbs.append(left >= 32 ? next() : next() >> UInt32(32 - left))
            left -= 32
        }
        self.init(false, limbs)
    }

    /// The number without its fraction; `nil` for what is no number.
    package init?(_ double: Double) {
        guard double.isFinite else { return nil }
        let whole = double.rounded(.towardZero)
        let exponent = whole == 0 ? 0 : max(0, Int(whole.exponent) - 62)
        let unit = Double(sign: .plus, exponent: exponent, significand: 1)
        guard let top = Int(exactly: whole / unit) else { return nil }
        self = BigInt(top).shifted(exponent)
    }

    private func shifted(_ bits: Int) -> BigInt {
        var result = self * BigInt(1 << (bits % 32))
        result.limbs = result.limbs.isEmpty ? [] : [UInt32](repeating: 0, count: bits / 32) + result.limbs
        return result
    }

    package var isZero: Bool { limbs.isEmpty }
    package var isOdd: Bool { (limbs.first ?? 0) & 1 == 1 }
    package var bitWidth: Int { limbs.isEmpty ? 0 : limbs.count * 32 - (limbs.last?.leadingZeroBitCount ?? 0) }

    /// The same number as an `Int`, where it fits.
    package var int: Int? {
        guard limbs.count <= 2 else { return nil }
        let magnitude = limbs.enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (32 * UInt64($1.offset)) }
        if isNegative { return magnitude <= UInt64(1) << 63 ? Int(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int(exactly: magnitude)
    }

    package var double: Double {
        // The decimal text is rounded once and rightly; limbs added up would be rounded often.
        Double(description) ?? .infinity
    }

    package static func < (left: BigInt, right: BigInt) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        let order = compare(left.limbs, right.limbs)
        return left.isNegative ? order > 0 : order < 0
    }

    private static func compare(_ left: [UInt32], _ right: [UInt32]) -> Int {
        if left.count != right.count { return left.count < right.count ? -1 : 1 }
        for (a, b) in zip(left.reversed(), right.reversed()) where a != b { return a < b ? -1 : 1 }
        return 0
    }

    package static prefix func - (number: BigInt) -> BigInt { BigInt(!number.isNegative, number.limbs) }

    private static func sum(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var carry: UInt64 = 0
        for index in 0..<max(left.count, right.count) {
            let total =
                carry + UInt64(index < left.count ? left[index] : 0) + UInt64(index < right.count ? right[index] : 0)
            result.append(UInt32(truncatingIfNeeded: total))
            carry = total >> 32
        }
        return result + [UInt32(carry)]
    }

    /// `left` must not be the smaller one.
    private static func difference(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var borrow: Int64 = 0
        for index in left.indices {
            var total = Int64(left[index]) - borrow - Int64(index < right.count ? right[index] : 0)
            borrow = total < 0 ? 1 : 0
            if total < 0 { total += 1 << 32 }
            result.append(UInt32(total))
        }
        return result
    }

    package static func + (left: BigInt, right: BigInt) -> BigInt {
        if left.isNegative == right.isNegative { return BigInt(left.isNegative, sum(left.limbs, right.limbs)) }
        return compare(left.limbs, right.limbs) >= 0
            ? BigInt(left.isNegative, difference(left.limbs, right.limbs))
            : BigInt(right.isNegative, difference(right.limbs, left.limbs))
    }

    package static func - (left: BigInt, right: BigInt) -> BigInt { left + (-right) }

    package static func * (left: BigInt, right: BigInt) -> BigInt {
        var result = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count + 1)
        for (i, a) in left.limbs.enumerated() {
            var carry: UInt64 = 0
            for (j, b) in right.limbs.enumerated() {
                let total = UInt64(a) * UInt64(b) + UInt64(result[i + j]) + carry
                result[i + j] = UInt32(truncatingIfNeeded: total)
                carry = total >> 32
            }
            result[i + right.limbs.count] = UInt32(carry)
        }
        return BigInt(left.isNegative != right.isNegative, result)
    }

    private static func divided(_ limbs: [UInt32], by small: UInt32) -> (quotient: [UInt32], rest: UInt32) {
        var result = limbs
        var rest: UInt64 = 0
        for index in limbs.indices.reversed() {
            let total = rest << 32 | UInt64(limbs[index])
            result[index] = UInt32(total / UInt64(small))
            rest = total % UInt64(small)
        }
        return (result, UInt32(rest))
    }

    /// Quotient and remainder of the magnitudes, bit by bit where the divisor has more than one limb.
    private static func divided(_ left: [UInt32], by right: [UInt32]) -> ([UInt32], [UInt32]) {
        if right.count == 1 {
            let (quotient, rest) = divided(left, by: right[0])
            return (quotient, [rest])
        }
        var quotient = [UInt32](repeating: 0, count: left.count)
        var rest = BigInt(0)
        let divisor = BigInt(false, right)
        for index in left.indices.reversed() {
            for bit in (0..<32).reversed() {
                rest = rest + rest
                if left[index] >> UInt32(bit) & 1 == 1 { rest = rest + BigInt(1) }
                if rest >= divisor {
                    rest = rest - divisor
                    quotient[index] |= 1 << UInt32(bit)
                }
            }
        }
        return (quotient, rest.limbs)
    }

    /// Python's `//` and `%`: rounded down. The divisor must not be zero.
    package func floorDivided(by right: BigInt) -> (quotient: BigInt, rest: BigInt) {
        let (quotient, rest) = Self.divided(limbs, by: right.limbs)
        let plain = BigInt(isNegative != right.isNegative, quotient)
        let remainder = BigInt(isNegative, rest)
        if !remainder.isZero, remainder.isNegative != right.isNegative {
            return (plain - BigInt(1), remainder + right)
        }
        return (plain, remainder)
    }

    /// Python's `<<`; the count must not be negative.
    package func shiftedLeft(_ bits: Int) -> BigInt { shifted(bits) }

    package func power(_ exponent: Int) -> BigInt {
        var result = BigInt(1)
        var base = self
        var left = exponent
        while left > 0 {
            if left & 1 == 1 { result = result * base }
            left >>= 1
            if left > 0 { base = base * base }
        }
        return result
    }
}

extension BigInt: CustomStringConvertible {
    package var description: String { text(radix: 10) }

    package func text(radix: UInt32) -> String {
        if limbs.isEmpty { return "0" }
        // Nine digits at a time where the base allows it.
        let step: UInt32 = radix == 10 ? 1_000_000_000 : radix
        let width = radix == 10 ? 9 : 1
        var parts: [String] = []
        var rest = limbs
        while !rest.isEmpty {
            let (quotient, part) = Self.divided(rest, by: step)
            rest = quotient
            while rest.last == 0 { rest.removeLast() }
            let digits = String(part, radix: Int(radix))
            parts.append(rest.isEmpty ? digits : String(repeating: "0", count: width - digits.utf8.count) + digits)
        }
        return (isNegative ? "-" : "") + parts.reversed().joined()
    }
}
