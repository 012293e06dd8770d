/// A Debian version `[epoch:]upstream[-revision]`, ordered as dpkg orders them.
struct DpkgVersion: Comparable, Sendable, CustomStringConvertible {
    let description: String
    private let epoch: Int
    private let upstream: [UInt8]
    private let revision: [UInt8]

    init(_ text: String) {
        description = text
        var rest = Array(text.utf8)[...]
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            epoch = Int(String(decoding: rest[..<colon], as: UTF8.self)) ?? 0
            rest = rest[(colon + 1)...]
        } else {
            epoch = 0
        }
        if let dash = rest.lastIndex(of: UInt8(ascii: "-")) {
            upstream = Array(rest[..<dash])
            revision = Array(rest[(dash + 1)...])
        } else {
            upstream = Array(rest)
            revision = []
        }
    }

    static func < (left: DpkgVersion, right: DpkgVersion) -> Bool { left.order(to: right) < 0 }
    static func == (left: DpkgVersion, right: DpkgVersion) -> Bool { left.order(to: right) == 0 }

    /// Negative when older than `other`, positive when newer.
    func order(to other: DpkgVersion) -> Int {
        if epoch != other.epoch { return epoch < other.epoch ? -1 : 1 }
        let order = Self.order(upstream, other.upstream)
        return order != 0 ? order : Self.order(revision, other.revision)
    }

    /// Parts without digits and numbers take turns; a tilde sorts before everything, even before the end.
    private static func order(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var a = left[...]
        var b = right[...]
        while !a.isEmpty || !b.isEmpty {
            while a.first.map(isDigit) == false || b.first.map(isDigit) == false {
                let difference = weight(a.first) - weight(b.first)
                if difference != 0 { return difference }
                a = a.dropFirst()
                b = b.dropFirst()
            }
            let first = number(&a)
            let second = number(&b)
            if first.count != second.count { return first.count - second.count }
            if let (x, y) = zip(first, second).first(where: { $0 != $1 }) { return Int(x) - Int(y) }
        }
        return 0
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private static func weight(_ byte: UInt8?) -> Int {
        switch byte {
        case nil: 0
        case UInt8(ascii: "~"): -1
        case .some(let byte) where isDigit(byte): 0
        case .some(let byte) where byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122: Int(byte)
        case .some(let byte): Int(byte) + 256
        }
    }

    /// Takes the digits at the start, without leading zeros.
    private static func number(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = bytes.prefix(while: isDigit)
        bytes = bytes.dropFirst(digits.count)
        return digits.drop { $0 == 48 }
    }
}
