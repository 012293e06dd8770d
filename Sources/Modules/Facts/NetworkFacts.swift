import Glibc
import Machine
import Values

extension FactSource {
    /// Interfaces with their addresses, and the way out, from the kernel's tables and `/sys/class/net`.
    func network() -> Dict {
        guard let kernel = RouteSocket() else { return Dict() }
        var interfaces = Dict()
        var nameByIndex: [Int32: String] = [:]
        for link in kernel.dump(.links) {
            guard let name = link.attributes[3].map(text(of:)) else { continue }
            let index: Int32 = link.head.dropFirst(4).littleEndianNumber()
            nameByIndex[index] = name
            interfaces[name] = .dict(interface(name, index, link))
        }
        var ways: [Int: Dict] = [
            4: way(kernel.route(to: [8, 8, 8, 8]), nameByIndex),
            6: way(
                kernel.route(to: [0x24, 4, 0x68, 0, 0x40, 0x0a, 8, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x12]), nameByIndex),
        ]
        var all: [Int: [Value]] = [4: [], 6: []]
        for message in kernel.dump(.addresses) {
            guard let address = Address(message), let device = nameByIndex[address.index] else { continue }
            place(address, device, &interfaces, &ways)
            if !address.isLoopback { all[address.family]?.append(.string(address.text)) }
        }
        var facts: Dict = ["interfaces": .list(interfaces.keys.map { $0 })]
        for (name, value) in interfaces { facts[name] = value }
        facts["default_ipv4"] = .dict(ways[4] ?? Dict())
        facts["default_ipv6"] = .dict(ways[6] ?? Dict())
        facts["all_ipv4_addresses"] = .list(all[4] ?? [])
        facts["all_ipv6_addresses"] = .list(all[6] ?? [])
        facts["locally_reachable_ips"] = locallyReachable(kernel)
        return facts
    }

    private func text(of bytes: [UInt8]) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

    private func interface(_ name: String, _ index: Int32, _ link: RouteSocket.Message) -> Dict {
        var entry: Dict = ["device": .string(name)]
        if let address = link.attributes[1], address.contains(where: { $0 != 0 }) {
            let parts = address.map { (byte: UInt8) in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
            entry["macaddress"] = .string(parts.joined(separator: ":"))
        }
        let mtu: UInt32 = link.attributes[4]?.littleEndianNumber() ?? 0
        entry["mtu"] = .int(Int(mtu))
        // IF_OPER_DOWN is 2.
        entry["active"] = .bool(link.attributes[16]?.first != 2)
        let kind: UInt16 = link.head.dropFirst(2).littleEndianNumber()
        let kinds: [UInt16: String] = [1: "ether", 32: "infiniband", 512: "ppp", 772: "loopback", 65534: "tunnel"]
        entry["type"] = .string(kinds[kind] ?? "unknown")
        let promiscuity: UInt32 = link.attributes[30]?.littleEndianNumber() ?? 0
        entry["promisc"] = .bool(promiscuity > 0)
        // In a container, /sys may show the interfaces of another network namespace.
        let folder = "/sys/class/net/" + name
        guard number(folder + "/ifindex") == Int(index) else { return entry }
        if let module = machine.realPath(of: folder + "/device/driver/module") {
            entry["module"] = .string(baseName(module))
        }
        if let device = self.link(folder + "/device") { entry["pciid"] = .string(baseName(device)) }
        if let speed = number(folder + "/speed") { entry["speed"] = .int(speed) }
        if exists(folder + "/bridge") {
            entry["type"] = "bridge"
            entry["interfaces"] = .strings(names(folder + "/brif"))
            entry["id"] = .string(text(folder + "/bridge/bridge_id") ?? "")
            entry["stp"] = .bool(text(folder + "/bridge/stp_state") == "1")
        }
        if exists(folder + "/bonding") { entry.merge(bond(folder + "/bonding/")) { $1 } }
        if let address = text(folder + "/bonding_slave/perm_hwaddr") { entry["perm_macaddress"] = .string(address) }
        return entry
    }

    private func bond(_ folder: String) -> Dict {
        func word(_ file: String) -> Value {
            .string(text(folder + file)?.split(separator: " ").first.map(String.init) ?? "")
        }
        var entry: Dict = [
            "type": "bonding", "mode": word("mode"), "miimon": word("miimon"), "lacp_rate": word("lacp_rate"),
            "slaves": .strings((text(folder + "slaves") ?? "").split(separator: " ").map(String.init)),
        ]
        if let primary = text(folder + "primary") {
            entry["primary"] = .string(primary)
            if let active = text(folder + "all_slaves_active") { entry["all_slaves_active"] = .bool(active == "1") }
        }
        return entry
    }

    /// Interface, source address and gateway of a route; empty when there is no way.
    private func way(_ route: RouteSocket.Message?, _ names: [Int32: String]) -> Dict {
        // Types above 5 are unreachable, prohibited, thrown away.
        guard let route, route.head.count > 7, route.head[7] <= 5 else { return Dict() }
        var way = Dict()
        if let index: Int32 = route.attributes[4].map({ $0.littleEndianNumber() }), let name = names[index] {
            way["interface"] = .string(name)
        }
        if let gateway = route.attributes[5] { way["gateway"] = .string(Address.text(of: gateway)) }
        if let source = route.attributes[7] { way["address"] = .string(Address.text(of: source)) }
        return way
    }

    private func place(_ address: Address, _ device: String, _ interfaces: inout Dict, _ ways: inout [Int: Dict]) {
        let owner = interfaces[device]?.dict ?? Dict()
        if address.family == 4 {
            let label = address.label ?? device
            var entry = label == device ? owner : interfaces[label]?.dict ?? Dict()
            if !address.isSecondary && entry["ipv4"] == nil {
                entry["ipv4"] = .dict(address.facts)
            } else {
                entry["ipv4_secondaries"] = .list((entry["ipv4_secondaries"]?.list ?? []) + [.dict(address.facts)])
            }
            interfaces[label] = .dict(entry)
            if address.isSecondary, label != device, var entry = interfaces[device]?.dict {
                entry["ipv4_secondaries"] = .list((entry["ipv4_secondaries"]?.list ?? []) + [.dict(address.facts)])
                interfaces[device] = .dict(entry)
            }
        } else if var entry = interfaces[device]?.dict {
            entry["ipv6"] = .list((entry["ipv6"]?.list ?? []) + [.dict(address.facts)])
            interfaces[device] = .dict(entry)
        }
        guard var way = ways[address.family], way["address"] == .string(address.text) else { return }
        way.merge(address.facts) { $1 }
        way["macaddress"] = owner["macaddress"] ?? ""
        way["mtu"] = owner["mtu"]
        way["type"] = owner["type"] ?? "unknown"
        if address.family == 4 { way["alias"] = .string(address.label ?? device) }
        ways[address.family] = way
    }

    /// Addresses and networks that this node answers itself: the kernel's table `local`.
    private func locallyReachable(_ kernel: borrowing RouteSocket) -> Value {
        var lists: [UInt8: [Value]] = [2: [], 10: []]
        for family in [UInt8(2), 10] {
            for route in kernel.dump(.routes, family: family) where route.head[0] == family && route.head[7] == 2 {
                let table: UInt32 = route.attributes[15]?.littleEndianNumber() ?? UInt32(route.head[4])
                guard table == 255, let target = route.attributes[1] else { continue }
                let whole = Int(route.head[1]) == target.count * 8
                let text = Address.text(of: target) + (whole ? "" : "/\(route.head[1])")
                if lists[family]?.contains(.string(text)) != true { lists[family]?.append(.string(text)) }
            }
        }
        return ["ipv4": .list(lists[2] ?? []), "ipv6": .list(lists[10] ?? [])]
    }
}

/// An address of an interface.
private struct Address {
    let family: Int
    let index: Int32
    let prefix: Int
    let scope: UInt8
    let isSecondary: Bool
    let bytes: [UInt8]
    let broadcast: [UInt8]?
    let label: String?

    init?(_ message: RouteSocket.Message) {
        guard message.head.count >= 8, let bytes = message.attributes[2] ?? message.attributes[1] else { return nil }
        switch message.head[0] {
        case 2 where bytes.count == 4: family = 4
        case 10 where bytes.count == 16: family = 6
        default: return nil
        }
        self.bytes = bytes
        prefix = Int(message.head[1])
        scope = message.head[3]
        isSecondary = message.head[2] & 1 != 0
        index = message.head.dropFirst(4).littleEndianNumber()
        broadcast = message.attributes[4]
        label = message.attributes[3].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    var text: String { Self.text(of: bytes) }
    var isLoopback: Bool { family == 4 ? bytes[0] == 127 : text == "::1" }

    var facts: Dict {
        guard family == 4 else {
            let scopes: [UInt8: String] = [0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"]
            return [
                "address": .string(text), "prefix": .string(String(prefix)),
                "scope": .string(scopes[scope] ?? String(scope)),
            ]
        }
        let mask = prefix == 0 ? 0 : UInt32.max << UInt32(32 - min(32, prefix))
        let masked = (0..<4).map { UInt8(truncatingIfNeeded: mask >> UInt32(24 - 8 * $0)) }
        return [
            "address": .string(text), "broadcast": .string(broadcast.map(Self.text(of:)) ?? ""),
            "netmask": .string(Self.text(of: masked)),
            "network": .string(Self.text(of: zip(bytes, masked).map { $0 & $1 })), "prefix": .string(String(prefix)),
        ]
    }

    static func text(of bytes: [UInt8]) -> String { addressText(bytes) }
}

/// An address of 4 or 16 bytes as people write it.
func addressText(_ bytes: [UInt8]) -> String {
    if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
    var buffer = [CChar](repeating: 0, count: 64)
    guard bytes.count == 16, unsafe inet_ntop(AF_INET6, bytes, &buffer, socklen_t(buffer.count)) != nil else {
        return ""
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
