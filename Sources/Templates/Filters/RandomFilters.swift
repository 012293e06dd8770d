import Crypto
package import Values

/// The generator behind Python's `random.Random(seed)`: the same seed gives the same numbers.
struct MersenneTwister {
    private var state = [UInt32](repeating: 0, count: 624)
    private var index = 624

    /// Seeds as Python does with a whole number, given as 32-bit words from the lowest.
    init(words: [UInt32]) {
        let key = words.isEmpty ? [0] : words
        state[0] = 19_650_218
        for i in 1..<624 { state[i] = 1_812_433_253 &* (state[i - 1] ^ state[i - 1] >> 30) &+ UInt32(i) }
        var i = 1
        var j = 0
        for _ in 0..<max(624, key.count) {
            state[i] = (state[i] ^ (state[i - 1] ^ state[i - 1] >> 30) &* 1_664_525) &+ key[j] &+ UInt32(j)
            i += 1
            j = (j + 1) % key.count
            if i >= 624 {
                state[0] = state[623]
                i = 1
            }
        }
        for _ in 0..<623 {
            state[i] = (state[i] ^ (state[i - 1] ^ state[i - 1] >> 30) &* 1_566_083_941) &- UInt32(i)
            i += 1
            if i >= 624 {
                state[0] = state[623]
                i = 1
            }
        }
        state[0] = 0x8000_0000
    }

    init(seed: Int) {
        let magnitude = seed.magnitude
        let words = [UInt32(truncatingIfNeeded: magnitude), UInt32(truncatingIfNeeded: magnitude >> 32)]
        self.init(words: words[1] == 0 ? [words[0]] : words)
    }

    init(seed: String) {
        let text = Array(seed.utf8)
        let little = Array((text + DigestAlgorithm.sha512.digest(of: text)).reversed())
        var words = stride(from: 0, to: little.count, by: 4).map { start in
            little[start..<min(start + 4, little.count)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        while words.count > 1, words.last == 0 { words.removeLast() }
        self.init(words: words)
    }

    mutating func next() -> UInt32 {
        if index >= 624 {
            for i in 0..<624 {
                let y = state[i] & 0x8000_0000 | state[(i + 1) % 624] & 0x7fff_ffff
                state[i] = state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 == 1 ? 0x9908_b0df : 0)
            }
            index = 0
        }
        var y = state[index]
        index += 1
        y ^= y >> 11
        y ^= y << 7 & 0x9d2c_5680
        y ^= y << 15 & 0xefc6_0000
        return y ^ y >> 18
    }

    /// A number below `bound`, which must be positive.
    mutating func below(_ bound: Int) -> Int {
        let bits = Int.bitWidth - bound.leadingZeroBitCount
        while true {
            let number = self.bits(bits)
            if number < bound { return number }
        }
    }

    /// The same of a bound of any size.
    mutating func below(_ bound: BigInt) -> BigInt {
        while true {
            let number = BigInt(bits: bound.bitWidth) { next() }
            if number < bound { return number }
        }
    }

    private mutating func bits(_ count: Int) -> Int {
        if count <= 32 { return Int(next() >> UInt32(32 - count)) }
        let low = Int(next())
        return Int(next() >> UInt32(64 - count)) << 32 | low
    }
}

/// Characters chosen at random: the same seed gives the same text, and the one that Python would give.
package enum RandomText {
    package static func of(_ alphabet: [Character], length: Int, seed: Value?) -> String {
        guard let seed, seed != .null else {
            var generator = SystemRandomNumberGenerator()
            return String((0..<length).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
        }
        var twister = MersenneTwister(seed: seed.pythonText)
        return String((0..<length).map { _ in alphabet[twister.below(alphabet.count)] })
    }
}

extension Filters {
    private enum Source {
        case world(@Sendable () -> UInt64)
        case seeded(MersenneTwister)

        mutating func below(_ bound: Int) -> Int {
            switch self {
            case .world(let random): return Int(random() % UInt64(bound))
            case .seeded(var twister):
                let number = twister.below(bound)
                self = .seeded(twister)
                return number
            }
        }

        mutating func below(_ bound: BigInt) -> BigInt {
            switch self {
            case .world(let random):
                // Enough more bits that no number is likelier than another.
                return BigInt(bits: bound.bitWidth + 64) { UInt32(truncatingIfNeeded: random() >> 16) }
                    .floorDivided(by: bound).rest
            case .seeded(var twister):
                let number = twister.below(bound)
                self = .seeded(twister)
                return number
            }
        }
    }

    /// Beyond 64 bits: the whole numbers from 0 to the value, by the step.
    private static func random(
        below end: BigInt, _ c: FilterCall, _ source: inout Source
    ) throws(TemplateError) -> Datum {
        let start = BigInt(try c.int(0) ?? 0)
        let given = try c.int(1) ?? 1
        let step = BigInt(given == 0 ? 1 : given)
        let one = BigInt(1)
        // As many as Python's range has: rounded up.
        let span = step < BigInt(0) ? start - end : end - start
        let count = (span - one).floorDivided(by: step < BigInt(0) ? -step : step).quotient + one
        if count < one {
            throw TemplateError("empty range for random: \(start.description), \(end.description), \(step.description)")
        }
        return .integer(start + step * source.below(count))
    }

    private static func source(_ seed: Datum?, _ evaluator: Evaluator) throws(TemplateError) -> Source {
        guard let seed, !seed.isNull else { return .world(evaluator.scope.world.random) }
        if let int = seed.int { return .seeded(MersenneTwister(seed: int)) }
        return .seeded(MersenneTwister(seed: try evaluator.text(seed)))
    }
    static func addRandom(_ table: inout FilterTable) {
        table.add("random", parameters: ["start", "step", "seed"]) { (c) throws(TemplateError) in
            var source = try source(c[2], c.evaluator)
            if case .int(let end) = c.value {
                let start = try c.int(0) ?? 0
                let given = try c.int(1) ?? 1
                let step = given == 0 ? 1 : given
                let count = RangeObject(start, end, step).count
                if count <= 0 { throw TemplateError("empty range for random: \(start), \(end), \(step)") }
                return .int(start + step * source.below(count))
            }
            if case .big(let end) = c.value { return try random(below: end, c, &source) }
            if let range = c.value.runtimeObject as? RangeObject {
                if range.count == 0 { throw TemplateError("cannot choose from an empty sequence") }
                return .int(range.start + range.step * source.below(range.count))
            }
            guard c.value.isSequence || c.value.text != nil || c.value.typeName == "dict" else {
                throw TemplateError("random can only be used on sequences and integers")
            }
            let bounds = [try c.int(0), try c.int(1)].compactMap { $0 }.filter { $0 != 0 }
            if !bounds.isEmpty {
                throw TemplateError("start and step can only be used with integer values")
            }
            let items = try c.items()
            if items.isEmpty { throw TemplateError("cannot choose from an empty sequence") }
            return items[source.below(items.count)]
        }
        table.add("shuffle", parameters: ["seed"]) { (c) throws(TemplateError) in
            guard c.value.isSequence || c.value.text != nil else { return c.value }
            var items = try c.items()
            let seed = c[0]
            let isSeeded = try seed.map { (datum) throws(TemplateError) in try c.evaluator.isTrue(datum) } ?? false
            var source = try source(isSeeded ? seed : nil, c.evaluator)
            if items.count > 1 {
                for index in (1..<items.count).reversed() { items.swapAt(index, source.below(index + 1)) }
            }
            return .list(items)
        }
    }
}
