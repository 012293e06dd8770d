import Values

/// The `ipaddr` family of `ansible.utils`.
extension Filters {
    static func addAddresses(_ table: inout FilterTable) {
        for (name, version) in [("ipaddr", 0), ("ipv4", 4), ("ipv6", 6)] {
            table.add(name, parameters: ["query", "version", "alias"]) { (c) throws(TemplateError) in
                let wanted = try version != 0 ? version : c.int(1) ?? 0
                return try Addresses.query(c.value, try c.text(0) ?? "", wanted, c.evaluator)
            }
        }
        table.add("ipwrap", parameters: ["query"]) { (c) throws(TemplateError) in
            // In its place a query is never heard of; by its name it is.
            let named = c.call.named.first { $0.name == "query" }
            let query = try named.map { (argument) throws(TemplateError) in try c.evaluator.text(argument.value) } ?? ""
            switch c.value {
            case .string, .bool, .list: break
            default: throw TemplateError("Unrecognized type <\(c.value.typeName)> for ipwrap filter <value>")
            }
            func wrapped(_ datum: Datum) throws(TemplateError) -> Datum {
                let found = try Addresses.query(datum, query, 0, c.evaluator)
                guard try c.evaluator.isTrue(found) else { return datum }
                return try Addresses.query(found, "wrap", 0, c.evaluator)
            }
            guard c.value.isSequence else { return try wrapped(c.value) }
            return .list(try c.items().mapThrowing(wrapped))
        }
        table.add("ipsubnet", parameters: ["query", "index"]) { (c) throws(TemplateError) in
            guard let network = Addresses.network(try c.string()) else { return .bool(false) }
            return try Addresses.subnet(network, try c.text(0) ?? "", try c.int(1))
        }
        table.add("nthhost", parameters: ["query"]) { (c) throws(TemplateError) in
            guard let network = Addresses.network(try c.string()), let nth = try c.int(0) else {
                return .bool(false)
            }
            return Addresses.host(nth, of: network).map { .string(network.text($0)) } ?? .bool(false)
        }
        for (name, sign) in [("next_nth_usable", 1), ("previous_nth_usable", -1)] {
            table.add(name, parameters: ["offset"], required: 1) { (c) throws(TemplateError) in
                guard let network = Addresses.network(try c.string()), let offset = try c.int(0) else {
                    return .bool(false)
                }
                guard let usable = network.usable, let moved = Addresses.moved(network.value, sign * offset),
                    usable.first <= moved, moved <= usable.last
                else { return .null }
                return .string(network.text(moved))
            }
        }
        table.add("ipmath", parameters: ["amount"], required: 1) { (c) throws(TemplateError) in
            guard let network = AddressNetwork(try c.string()) else {
                throw TemplateError("'\(try c.string())' is no IP address")
            }
            guard let amount = try c.int(0), let moved = Addresses.moved(network.value, amount) else {
                throw TemplateError("'ipmath' leaves the range of addresses")
            }
            return .string(network.text(moved))
        }
        addNetworks(&table)
    }

    private static func addNetworks(_ table: inout FilterTable) {
        for (name, usableOnly) in [("network_in_network", false), ("network_in_usable", true)] {
            table.add(name, parameters: ["test"], required: 1) { (c) throws(TemplateError) in
                let outer = Addresses.network(try c.string())
                let range = usableOnly ? outer?.usable ?? Addresses.bounds(outer) : Addresses.bounds(outer)
                let inner = Addresses.bounds(Addresses.network(try c.text(0) ?? ""))
                return .bool(range.first <= inner.first && inner.last <= range.last)
            }
        }
        table.add("reduce_on_network", parameters: ["network"], required: 1) { (c) throws(TemplateError) in
            let range = Addresses.bounds(Addresses.network(try c.text(0) ?? ""))
            var result: [Datum] = []
            for item in c.value.isSequence ? try c.items() : [c.value] {
                let inner = Addresses.bounds(Addresses.network(try c.evaluator.text(item)))
                if range.first <= inner.first, inner.last <= range.last { result.append(item) }
            }
            return .list(result)
        }
        table.add("cidr_merge", parameters: ["action"]) { (c) throws(TemplateError) in
            var networks: [AddressNetwork] = []
            for item in try c.items() {
                guard let network = AddressNetwork(try c.evaluator.text(item)) else {
                    throw TemplateError("'\(try c.evaluator.text(item))' is no IP address or network")
                }
                networks.append(network)
            }
            switch try c.text(0) ?? "merge" {
            case "merge":
                // What nothing is merged with stays as it was written.
                return .strings(
                    Addresses.merged(networks).map { merged in
                        let own = networks.filter { merged.contains($0) }
                        return own.count == 1 ? own[0].full : merged.cidr
                    })
            case "span":
                if Set(networks.map(\.version)).count > 1 {
                    throw TemplateError(
                        "cidr_merge: error in netaddr:\nIP sequence cannot contain both IPv4 and IPv6!")
                }
                return Addresses.span(networks).map { .string($0.cidr) } ?? .null
            case let action: throw TemplateError("'cidr_merge' knows no action '\(action)'", hint: "known: merge, span")
            }
        }
        table.add("hwaddr", "macaddr", parameters: ["query", "alias"]) { (c) throws(TemplateError) in
            try hardwareAddress(c)
        }
    }

    private static func hardwareAddress(_ c: FilterCall) throws(TemplateError) -> Datum {
        let digits = try c.string().filter { !":-. ".contains($0) }
        let query = try c.text(0) ?? ""
        guard digits.count == 12, let number = Int(digits, radix: 16) else {
            if query.isEmpty || query == "bool" { return .null }
            throw TemplateError("'\(try c.string())' is no hardware address")
        }
        let lower = Array(digits.lowercased())
        func joined(_ width: Int, _ separator: String) -> String {
            stride(from: 0, to: 12, by: width).map { String(lower[$0..<($0 + width)]) }.joined(separator: separator)
        }
        switch query {
        case "": return c.value
        case "bool": return .bool(true)
        case "int": return .int(number)
        case "bare": return .string(digits.uppercased())
        case "cisco": return .string(joined(4, "."))
        case "linux": return .string(joined(2, ":"))
        case "unix":
            let bytes = joined(2, ":").split(separator: ":").map { $0.hasPrefix("0") ? $0.dropFirst() : $0 }
            return .string(bytes.joined(separator: ":"))
        case "pgsql", "postgresql", "psql": return .string(joined(6, ":"))
        case "win", "eui48": return .string(joined(2, "-").uppercased())
        default: throw TemplateError("'hwaddr' knows no query '\(query)'")
        }
    }

    static func addAddressTests(_ table: inout FilterTable) {
        let kinds: [(String, @Sendable (AddressNetwork, Bool) -> Bool)] = [
            ("ip", { _, _ in true }), ("ip_address", { _, isNetwork in !isNetwork }),
            ("ipv4", { network, _ in network.version == 4 }), ("ipv6", { network, _ in network.version == 6 }),
            ("ipv4_address", { network, isNetwork in network.version == 4 && !isNetwork }),
            ("ipv6_address", { network, isNetwork in network.version == 6 && !isNetwork }),
            ("loopback", { network, isNetwork in network.isLoopback && !isNetwork }),
            ("multicast", { network, isNetwork in network.isMulticast && !isNetwork }),
            ("private", { network, isNetwork in !network.isGlobal && !network.isMulticast && !isNetwork }),
            ("public", { network, isNetwork in network.isGlobal && !isNetwork }),
        ]
        for (name, holds) in kinds {
            table.add(name) { (c) throws(TemplateError) in
                let text = try c.string()
                // A network has no bits behind its prefix here.
                guard let network = AddressNetwork(text), network.value == network.first else { return .bool(false) }
                return .bool(holds(network, text.contains("/")))
            }
        }
        for (name, flipped) in [("in_network", false), ("subnet_of", false), ("supernet_of", true)] {
            table.add(name, parameters: ["network"], required: 1) { (c) throws(TemplateError) in
                // A network has no bits behind its prefix here.
                guard let own = AddressNetwork(try c.string()), let other = AddressNetwork(try c.text(0) ?? ""),
                    own.value == own.first, other.value == other.first
                else { return .bool(false) }
                return .bool(flipped ? own.contains(other) : other.contains(own))
            }
        }
    }
}

/// What the filters on addresses have in common.
enum Addresses {
    /// A text as network: an address keeps its value, a network loses the bits behind its prefix.
    static func network(_ text: String) -> AddressNetwork? {
        parsed(text, 0)?.0
    }

    /// The first and the last address of a network, as numbers; what is none is no more than zero.
    static func bounds(_ network: AddressNetwork?) -> (first: UInt128, last: UInt128) {
        guard let network else { return (0, 0) }
        return (network.first, network.broadcast ?? network.first)
    }

    static func moved(_ value: UInt128, _ offset: Int) -> UInt128? {
        let (result, overflow) = offset < 0
            ? value.subtractingReportingOverflow(UInt128(offset.magnitude))
            : value.addingReportingOverflow(UInt128(offset))
        return overflow ? nil : result
    }

    /// The address at a position of the network, counted from its end where negative.
    static func host(_ nth: Int, of network: AddressNetwork) -> UInt128? {
        guard let value = nth < 0 ? moved(network.last, nth + 1) : moved(network.first, nth) else { return nil }
        return network.first <= value && value <= network.last ? value : nil
    }

    /// The value as an address; whether it was written with a prefix.
    private static func parsed(_ text: String, _ version: Int) -> (AddressNetwork, isNetwork: Bool)? {
        if !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt128(text) {
            let kind = version != 0 ? version : number <= 0xffff_ffff ? 4 : 6
            return AddressNetwork(version: kind, value: number, prefix: kind == 4 ? 32 : 128).map { ($0, false) }
        }
        return AddressNetwork(text).map { ($0, text.contains("/")) }
    }

    static func query(
        _ datum: Datum, _ query: String, _ version: Int, _ evaluator: Evaluator
    ) throws(TemplateError) -> Datum {
        if datum.isSequence {
            var result: [Datum] = []
            for item in try evaluator.items(of: datum) {
                let found = try self.query(item, query, version, evaluator)
                if try evaluator.isTrue(found) { result.append(found) }
            }
            return .list(result)
        }
        if case .bool = datum { return .bool(false) }
        guard try evaluator.isTrue(datum) else { return .bool(false) }
        let text = try evaluator.text(datum)
        guard let (network, isNetwork) = parsed(text, version) else { return .bool(false) }
        if version != 0, network.version != version { return .bool(false) }
        let shown = !text.isEmpty && text.allSatisfy(\.isNumber) ? network.full : text
        let own = AddressQuery(network: network, isNetwork: isNetwork, text: shown)
        if let answer = try own.answer(query) { return answer }
        if let number = Int(query) {
            if network.isSingle { return .string(isNetwork ? network.full : network.ip) }
            return host(number, of: network).map { .string("\(network.text($0))/\(network.prefix)") } ?? .bool(false)
        }
        guard let outer = AddressNetwork(query) else { throw TemplateError("'ipaddr' knows no query '\(query)'") }
        return outer.contains(network) ? .string(shown) : .null
    }

    static func subnet(_ network: AddressNetwork, _ query: String, _ index: Int?) throws(TemplateError) -> Datum {
        let base = AddressNetwork(version: network.version, value: network.first, prefix: network.prefix) ?? network
        let kind = base.isSingle
        if query.isEmpty { return .string(base.cidr) }
        if let length = Int(query) {
            guard (0...base.width).contains(length) else { return .bool(false) }
            func supernet(_ prefix: Int) -> Datum {
                AddressNetwork(version: base.version, value: base.value, prefix: prefix).map { .string($0.cidr) }
                    ?? .bool(false)
            }
            guard let index else {
                if kind { return supernet(length) }
                guard length >= base.prefix else {
                    throw TemplateError("requested subnet size of \(length) is invalid")
                }
                return .string(BigInt(2).power(length - base.prefix).description)
            }
            if kind {
                // Supernets are counted from the requested one down to the address.
                let position = index < 0 ? base.width + index : length + index
                return (length...base.width).contains(position) ? supernet(position) : .bool(false)
            }
            guard length >= base.prefix else { return .bool(false) }
            let count = BigInt(2).power(length - base.prefix)
            let position = index < 0 ? BigInt(index) + count : BigInt(index)
            guard !position.isNegative, position < count, let number = position.int else { return .bool(false) }
            let value = base.first + UInt128(number) << UInt128(base.width - length)
            return .string("\(base.text(value))/\(length)")
        }
        guard let outer = AddressNetwork(query) else {
            throw TemplateError("you must pass a valid subnet or IP address; \(query) is invalid")
        }
        guard outer.contains(base) else {
            throw TemplateError("'\(base.cidr)' is not in the subnet '\(outer.cidr)'")
        }
        let position = (base.first - outer.first) >> UInt128(base.width - base.prefix)
        return .string(String(position + 1))
    }

    static func merged(_ networks: [AddressNetwork]) -> [AddressNetwork] {
        var result = Set(networks.map { AddressNetwork(version: $0.version, value: $0.first, prefix: $0.prefix) ?? $0 })
        var changed = true
        while changed {
            changed = false
            for network in result.sorted(by: { $0.prefix > $1.prefix }) where result.contains(network) {
                if result.contains(where: { $0 != network && $0.contains(network) }) {
                    result.remove(network)
                    changed = true
                    continue
                }
                guard network.prefix > 0 else { continue }
                let bit = UInt128(1) << UInt128(network.width - network.prefix)
                let other = AddressNetwork(
                    version: network.version, value: network.first ^ bit, prefix: network.prefix)
                guard let sibling = other, result.contains(sibling),
                    let parent = AddressNetwork(
                        version: network.version, value: network.first & ~bit, prefix: network.prefix - 1)
                else { continue }
                result.subtract([network, sibling])
                result.insert(parent)
                changed = true
            }
        }
        return result.sorted { ($0.version, $0.first, $0.prefix) < ($1.version, $1.first, $1.prefix) }
    }

    static func span(_ networks: [AddressNetwork]) -> AddressNetwork? {
        guard let low = networks.map(\.first).min(), let high = networks.map(\.last).max(), let one = networks.first
        else { return nil }
        if networks.count == 1 { return one }
        var prefix = one.width
        while prefix > 0 {
            if let network = AddressNetwork(version: one.version, value: low, prefix: prefix), network.last >= high {
                return AddressNetwork(version: one.version, value: network.first, prefix: prefix)
            }
            prefix -= 1
        }
        return AddressNetwork(version: one.version, value: 0, prefix: 0)
    }
}

/// One address under the queries of `ipaddr`.
private struct AddressQuery {
    let network: AddressNetwork
    let isNetwork: Bool
    let text: String

    private var isAtStart: Bool { network.value == network.first }
    private func when(_ holds: Bool) -> Datum { holds ? .string(text) : .bool(false) }
    private func optional(_ value: UInt128?) -> Datum { value.map { .string(network.text($0)) } ?? .null }

    /// `nil` for a query with no name of its own.
    func answer(_ query: String) throws(TemplateError) -> Datum? {
        if let answer = general(query) ?? kind(query) { return answer }
        switch query {
        case "first_usable", "last_usable", "next_usable", "previous_usable", "range_usable", "peer":
            if !isNetwork { throw TemplateError("not a network address") }
            return try usable(query)
        default: return nil
        }
    }

    private func general(_ query: String) -> Datum? {
        switch query {
        case "": return .string(isNetwork ? network.full : network.ip)
        case "bool": return .bool(true)
        case "address", "ip":
            if network.isSingle || !isAtStart || network.broadcast == nil || network.version == 6 {
                return .string(network.ip)
            }
            return .null
        case "address/prefix", "gateway", "gw", "host/prefix", "hostnet", "router":
            let isEdge = isAtStart || network.value == network.broadcast
            return !network.isSingle && network.broadcast != nil && isEdge ? .bool(false) : .string(network.full)
        case "broadcast": return optional(network.broadcast)
        case "cidr": return .string(network.full)
        case "host":
            return network.isSingle || !isAtStart || network.broadcast == nil ? .string(network.full) : .null
        case "hostmask", "wildcard": return .string(network.text(network.hostmask))
        case "int":
            let number = BigInt(digits: String(network.value)) ?? BigInt(0)
            return isNetwork ? .string("\(number)/\(network.prefix)") : .integer(number)
        case "ip/prefix": return hasHost ? .string(network.full) : .null
        case "ip_netmask": return hasHost ? .string("\(network.ip) \(network.text(network.netmask))") : .null
        case "net": return !network.isSingle && isAtStart ? .string(network.cidr) : .null
        case "netmask": return .string(network.text(network.netmask))
        case "network", "network_id": return .string(network.text(network.first))
        case "network/prefix", "subnet": return .string(network.cidr)
        case "network_netmask": return .string("\(network.text(network.first)) \(network.text(network.netmask))")
        case "network_wildcard": return .string("\(network.text(network.first)) \(network.text(network.hostmask))")
        case "prefix": return .int(network.prefix)
        case "revdns": return .string(network.reverseName)
        case "size": return .integer(network.size)
        case "size_usable":
            return network.isSingle ? .int(0) : network.broadcast == nil ? .int(2) : .integer(network.size - BigInt(2))
        case "type": return .string(network.isSingle || !isAtStart ? "address" : "network")
        case "version": return .int(network.version)
        case "wrap":
            if network.version == 4 { return .string(text) }
            return .string("[\(network.ip)]" + (isNetwork ? "/\(network.prefix)" : ""))
        default: return nil
        }
    }

    private var hasHost: Bool { !network.isSingle && (network.broadcast == nil || !isAtStart) }

    private func kind(_ query: String) -> Datum? {
        switch query {
        case "ipv4":
            if network.version == 4 { return .string(text) }
            guard network.value >> 32 == 0 || network.value >> 32 == 0xffff, network.prefix >= 96 else {
                return .bool(false)
            }
            return .string("\(AddressNetwork.text(network.value & 0xffff_ffff, 4))/\(network.prefix - 96)")
        case "ipv6":
            if network.version == 6 { return .string(text) }
            let mapped = AddressNetwork.text(network.value | 0xffff_0000_0000, 6)
            return .string("\(mapped)/\(network.prefix + 96)")
        case "link-local": return network.isLinkLocal ? .string(text) : .null
        case "loopback", "lo": return network.isLoopback ? .string(text) : .null
        case "multicast": return network.isMulticast ? .string(text) : .null
        case "unicast": return !network.isMulticast ? .string(text) : .null
        case "private": return !network.isGlobal ? .string(text) : .null
        case "public":
            return network.isGlobal && !network.isMulticast && !network.isMask ? .string(text) : .null
        case "6to4": return sixToFour
        default: return nil
        }
    }

    private var sixToFour: Datum {
        if network.version == 6 { return when(network.in(["2002::/16"]) && (!isNetwork || !isAtStart)) }
        if !network.isSingle, isAtStart { return .bool(false) }
        let bytes = (0..<4).map { index in
            let digits = String(network.value >> UInt128(24 - 8 * index) & 255, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }
        return .string("2002:\(bytes[0])\(bytes[1]):\(bytes[2])\(bytes[3])::1/48")
    }

    private func usable(_ query: String) throws(TemplateError) -> Datum {
        if query == "peer" {
            let bits = network.width - network.prefix
            guard bits == 1 || bits == 2 else { throw TemplateError("not a point-to-point network") }
            if bits == 1 { return .string(network.text(network.value ^ 1)) }
            if network.value % 4 == 0 { throw TemplateError("network address of /30 has no peer") }
            if network.value % 4 == 3 { throw TemplateError("broadcast address of /30 has no peer") }
            return .string(network.text(network.value ^ 3))
        }
        guard let range = network.usable else { return .null }
        switch query {
        case "first_usable": return .string(network.text(range.first))
        case "last_usable": return .string(network.text(range.last))
        case "range_usable": return .string("\(network.text(range.first))-\(network.text(range.last))")
        default:
            let moved = Addresses.moved(network.value, query == "next_usable" ? 1 : -1)
            return optional(moved.flatMap { range.first <= $0 && $0 <= range.last ? $0 : nil })
        }
    }
}
