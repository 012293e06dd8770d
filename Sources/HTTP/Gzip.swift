/// Opens what a server has sent as gzip (RFC 1952, RFC 1951).
package enum Gzip {
    /// The content of one or more gzip members, each with its length and checksum right.
    ///
    /// - Parameter limit: more bytes than these are an error.
    package static func inflated(_ bytes: [UInt8], limit: Int) throws(HTTPError) -> [UInt8] {
        var out: [UInt8] = []
        var start = 0
        repeat {
            start = try header(bytes, at: start)
            var inflation = Inflation(bytes, at: start, into: out, limit: limit)
            let begin = out.count
            try inflation.run()
            out = inflation.out
            let end = inflation.position
            guard end + 8 <= bytes.count else { throw broken("it ends too early") }
            let sum = number(bytes, end)
            let length = number(bytes, end + 4)
            guard sum == checksum(out[begin...]), length == UInt32(truncatingIfNeeded: out.count - begin) else {
                throw broken("its checksum is wrong")
            }
            start = end + 8
        } while start + 1 < bytes.count && bytes[start] == 0x1f && bytes[start + 1] == 0x8b
        return out
    }

    static func broken(_ why: String) -> HTTPError { HTTPError(.badResponse, "the answer is no gzip: \(why)") }

    private static func number(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
    }

    /// Where the data of a member begins.
    private static func header(_ bytes: [UInt8], at start: Int) throws(HTTPError) -> Int {
        guard start + 10 <= bytes.count, bytes[start] == 0x1f, bytes[start + 1] == 0x8b, bytes[start + 2] == 8 else {
            throw broken("it does not begin like one")
        }
        let flags = bytes[start + 3]
        var at = start + 10
        if flags & 4 != 0 {
            guard at + 2 <= bytes.count else { throw broken("it ends too early") }
            at += 2 + Int(bytes[at]) + Int(bytes[at + 1]) << 8
        }
        // A name, then a comment.
        for flag in [UInt8(8), 16] where flags & flag != 0 {
            guard at < bytes.count, let end = bytes[at...].firstIndex(of: 0) else { throw broken("it ends too early") }
            at = end + 1
        }
        if flags & 2 != 0 { at += 2 }
        guard at <= bytes.count else { throw broken("it ends too early") }
        return at
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 255)] ^ $0 >> 8 }
    }
}

/// A stream of DEFLATE on its way.
private struct Inflation {
    private let bytes: [UInt8]
    private let limit: Int
    /// The next byte to take bits from.
    private(set) var position: Int
    private(set) var out: [UInt8]
    private let first: Int
    private var hold: UInt32 = 0
    private var held: UInt32 = 0

    init(_ bytes: [UInt8], at position: Int, into out: [UInt8], limit: Int) {
        self.bytes = bytes
        self.position = position
        self.out = out
        self.limit = limit
        first = out.count
    }

    mutating func run() throws(HTTPError) {
        var isLast = false
        while !isLast {
            isLast = try bits(1) == 1
            switch try bits(2) {
            case 0: try stored()
            case 1: try block(Self.fixedLengths, Self.fixedDistances)
            case 2:
                let (lengths, distances) = try tables()
                try block(lengths, distances)
            default: throw Gzip.broken("it has a block of an unknown kind")
            }
        }
        // Bits of whole bytes that were taken too early cannot be: they are taken one byte at a time.
        hold = 0
        held = 0
    }

    private mutating func bits(_ count: Int) throws(HTTPError) -> Int {
        while held < UInt32(count) {
            guard position < bytes.count else { throw Gzip.broken("it ends too early") }
            hold |= UInt32(bytes[position]) << held
            position += 1
            held += 8
        }
        let value = hold & (UInt32(1) << UInt32(count) - 1)
        hold >>= UInt32(count)
        held -= UInt32(count)
        return Int(value)
    }

    private mutating func stored() throws(HTTPError) {
        hold = 0
        held = 0
        let length = try bits(16)
        guard try bits(16) == ~length & 0xffff, position + length <= bytes.count else {
            throw Gzip.broken("a part of it has the wrong length")
        }
        try checkRoom(length)
        out += bytes[position..<position + length]
        position += length
    }

    private func checkRoom(_ count: Int) throws(HTTPError) {
        guard out.count + count <= limit else {
            throw HTTPError(.tooLarge, "the answer is longer than the limit of \(limit) bytes")
        }
    }

    // MARK: Codes

    /// Huffman's codes: how many there are of each length, and what they stand for, in order.
    private struct Codes {
        var counts = [Int](repeating: 0, count: 16)
        var symbols: [Int] = []

        init(_ lengths: ArraySlice<Int>) throws(HTTPError) {
            for length in lengths { counts[length] += 1 }
            counts[0] = 0
            var left = 1
            for length in 1...15 {
                left = left * 2 - counts[length]
                if left < 0 { throw Gzip.broken("it has too many codes") }
            }
            for length in 1...15 {
                for (symbol, own) in zip(0..., lengths) where own == length { symbols.append(symbol) }
            }
        }
    }

    private static let fixedLengths = try? Codes(
        ([Int](repeating: 8, count: 144) + [Int](repeating: 9, count: 112) + [Int](repeating: 7, count: 24)
            + [Int](repeating: 8, count: 8))[...])
    private static let fixedDistances = try? Codes([Int](repeating: 5, count: 30)[...])
    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145, 8193, 12_289, 16_385, 24_577,
    ]

    private mutating func symbol(_ codes: Codes) throws(HTTPError) -> Int {
        var code = 0
        var first = 0
        var index = 0
        for length in 1...15 {
            code |= try bits(1)
            let count = codes.counts[length]
            if code - count < first { return codes.symbols[index + code - first] }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        throw Gzip.broken("it has a code that means nothing")
    }

    private mutating func tables() throws(HTTPError) -> (Codes, Codes) {
        let (lengths, distances, own) = (try bits(5) + 257, try bits(5) + 1, try bits(4) + 4)
        guard lengths <= 286, distances <= 30 else { throw Gzip.broken("it has too many codes") }
        var all = [Int](repeating: 0, count: 19)
        for index in 0..<own { all[Self.order[index]] = try bits(3) }
        let codes = try Codes(all[...])
        var found: [Int] = []
        while found.count < lengths + distances {
            let symbol = try symbol(codes)
            switch symbol {
            case ..<16: found.append(symbol)
            case 16:
                guard let last = found.last else { throw Gzip.broken("it repeats nothing") }
                found += [Int](repeating: last, count: 3 + (try bits(2)))
            case 17: found += [Int](repeating: 0, count: 3 + (try bits(3)))
            default: found += [Int](repeating: 0, count: 11 + (try bits(7)))
            }
        }
        guard found.count == lengths + distances else { throw Gzip.broken("it has too many codes") }
        return (try Codes(found[..<lengths]), try Codes(found[lengths...]))
    }

    private mutating func block(_ lengths: Codes?, _ distances: Codes?) throws(HTTPError) {
        guard let lengths, let distances else { return }
        while true {
            let symbol = try symbol(lengths)
            if symbol == 256 { return }
            if symbol < 256 {
                try checkRoom(1)
                out.append(UInt8(symbol))
                continue
            }
            guard symbol - 257 < Self.lengthBases.count else { throw Gzip.broken("it has a code that means nothing") }
            let length = Self.lengthBases[symbol - 257] + (try bits(Self.lengthBits[symbol - 257]))
            let code = try self.symbol(distances)
            guard code < Self.distanceBases.count else { throw Gzip.broken("it has a code that means nothing") }
            let distance = Self.distanceBases[code] + (try bits(code < 2 ? 0 : code / 2 - 1))
            guard distance <= out.count - first else { throw Gzip.broken("it points to before its beginning") }
            try checkRoom(length)
            for _ in 0..<length { out.append(out[out.count - distance]) }
        }
    }
}
