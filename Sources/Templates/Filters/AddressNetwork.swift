import Values

/// An IP address with the length of its network's prefix: `192.0.2.7/24`, `2001:db8::1/64`.
struct AddressNetwork: Hashable {
    /// 4 or 6.
    let version: Int
    var value: UInt128
    let prefix: Int

    var width: Int { version == 4 ? 32 : 128 }
    var size: BigInt { BigInt(2).power(width - prefix) }
    var isSingle: Bool { prefix == width }
    private var hostBits: UInt128 { prefix == 0 && width == 128 ? .max : (UInt128(1) << UInt128(width - prefix)) - 1 }
    var first: UInt128 { value & ~hostBits & Self.all(width) }
    var last: UInt128 { value & Self.all(width) | hostBits }
    var netmask: UInt128 { ~hostBits & Self.all(width) }
    var hostmask: UInt128 { hostBits }
    /// Two addresses and single ones have no broadcast address; IPv6 has one here, as netaddr counts.
    var broadcast: UInt128? { width - prefix <= 1 ? nil : last }
    var usable: (first: UInt128, last: UInt128)? {
        if isSingle { return nil }
        return width - prefix == 1 ? (first, last) : (first + 1, last - 1)
    }

    static func all(_ width: Int) -> UInt128 { width == 128 ? .max : (UInt128(1) << UInt128(width)) - 1 }

    init?(version: Int, value: UInt128, prefix: Int) {
        let width = version == 4 ? 32 : 128
        guard (0...width).contains(prefix), value <= Self.all(width) else { return nil }
        self.version = version
        self.value = value
        self.prefix = prefix
    }

    /// `address`, `address/prefix` or `address/netmask`.
    init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard halves.count <= 2, let (version, value) = Self.address(halves[0]) else { return nil }
        var prefix = version == 4 ? 32 : 128
        if halves.count == 2 {
            if let number = Self.number(halves[1]) {
                prefix = number
            } else if let (kind, mask) = Self.address(halves[1]), kind == version,
                let length = Self.prefix(ofMask: mask, version)
            {
                prefix = length
            } else {
                return nil
            }
        }
        self.init(version: version, value: value, prefix: prefix)
    }

    private static func number(_ text: String) -> Int? {
        text.isEmpty || !text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? nil : Int(text)
    }

    /// The prefix of a netmask or, where it is one, of a hostmask.
    private static func prefix(ofMask mask: UInt128, _ version: Int) -> Int? {
        let width = version == 4 ? 32 : 128
        let inverse = ~mask & all(width)
        if inverse & (inverse &+ 1) == 0 { return width - inverse.trailingOnes }
        return mask & (mask &+ 1) == 0 ? width - mask.trailingOnes : nil
    }

    static func address(_ text: String) -> (version: Int, value: UInt128)? {
        if text.contains(":") { return six(text).map { (6, $0) } }
        return four(text).map { (4, $0) }
    }

    private static func four(_ text: String) -> UInt128? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4 else { return nil }
        var value: UInt128 = 0
        for part in parts {
            guard let number = number(part), number < 256, part.count == 1 || !part.hasPrefix("0") else { return nil }
            value = value << 8 | UInt128(number)
        }
        return value
    }

    private static func six(_ text: String) -> UInt128? {
        var body = text
        if let colon = body.lastIndex(of: ":"), body[body.index(after: colon)...].contains(".") {
            guard let tail = four(String(body[body.index(after: colon)...])) else { return nil }
            body = body[...colon] + String(tail >> 16, radix: 16) + ":" + String(tail & 0xffff, radix: 16)
        }
        func groups(_ part: Substring) -> [UInt128]? {
            if part.isEmpty { return [] }
            var result: [UInt128] = []
            for group in part.split(separator: ":", omittingEmptySubsequences: false) {
                guard (1...4).contains(group.count), let value = UInt128(group, radix: 16), group.first != "+" else {
                    return nil
                }
                result.append(value)
            }
            return result
        }
        var all: [UInt128]
        if let gap = body.firstDoubleColon {
            guard let head = groups(body[..<gap]), let tail = groups(body[body.index(gap, offsetBy: 2)...]),
                head.count + tail.count < 8
            else { return nil }
            all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        } else {
            guard let found = groups(body[...]) else { return nil }
            all = found
        }
        return all.count == 8 ? all.reduce(0) { $0 << 16 | $1 } : nil
    }

    // MARK: Text

    static func text(_ value: UInt128, _ version: Int) -> String {
        if version == 4 { return (0..<4).map { String(value >> UInt128(24 - 8 * $0) & 255) }.joined(separator: ".") }
        let groups = (0..<8).map { value >> UInt128(112 - 16 * $0) & 0xffff }
        if value >> 32 == 0xffff { return "::ffff:" + text(value & 0xffff_ffff, 4) }
        if value >> 32 == 0, value >> 16 != 0 { return "::" + text(value, 4) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        func hex(_ range: Range<Int>) -> String { range.map { String(groups[$0], radix: 16) }.joined(separator: ":") }
        return best.count < 2 ? hex(0..<8) : hex(0..<best.lowerBound) + "::" + hex(best.upperBound..<8)
    }

    func text(_ value: UInt128) -> String { Self.text(value, version) }
    var ip: String { text(value) }
    /// With the prefix.
    var full: String { "\(ip)/\(prefix)" }
    /// The network with the prefix.
    var cidr: String { "\(text(first))/\(prefix)" }

    func contains(_ other: AddressNetwork) -> Bool {
        version == other.version && first <= other.first && other.last <= last
    }

    func `in`(_ networks: [String]) -> Bool {
        let own = AddressNetwork(version: version, value: value, prefix: width)
        return networks.contains { text in
            guard let network = AddressNetwork(text), let own else { return false }
            return network.contains(own)
        }
    }

    /// The name under which DNS keeps the address's name.
    var reverseName: String {
        if version == 4 {
            return (0..<4).map { String(value >> UInt128(8 * $0) & 255) }.joined(separator: ".") + ".in-addr.arpa."
        }
        return (0..<32).map { String(value >> UInt128(4 * $0) & 15, radix: 16) }.joined(separator: ".") + ".ip6.arpa."
    }

    // MARK: Kinds

    private static let reservedForSomething = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
        "::1/128", "::/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
        "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
    ]
    private static let globalWithin = [
        "192.0.0.9/32", "192.0.0.10/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32",
        "2001:4:112::/48", "2001:20::/28", "2001:30::/28",
    ]
    var isGlobal: Bool { self.in(Self.globalWithin) || !self.in(Self.reservedForSomething) }
    var isMulticast: Bool { self.in(["224.0.0.0/4", "ff00::/8"]) }
    var isLoopback: Bool { self.in(["127.0.0.0/8", "::1/128"]) }
    var isLinkLocal: Bool { self.in(["169.254.0.0/16", "fe80::/10"]) }
    var isMask: Bool {
        let inverse = ~value & Self.all(width)
        return inverse & (inverse &+ 1) == 0 || value & (value &+ 1) == 0
    }
}

extension UInt128 {
    fileprivate var trailingOnes: Int { (~self).trailingZeroBitCount }
}

extension String {
    fileprivate var firstDoubleColon: Index? {
        var previous: Index?
        for index in indices {
            if self[index] == ":", let before = previous, self[before] == ":" { return before }
            previous = index
        }
        return nil
    }
}
