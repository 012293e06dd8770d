import Glibc

/// The kernel's network tables, asked over a netlink socket: links, addresses and routes of this network namespace.
struct RouteSocket: ~Copyable {
    /// One message of an answer: its fixed part and its attributes by number.
    struct Message {
        var type: UInt16
        var head: [UInt8]
        var attributes: [UInt16: [UInt8]]
    }

    enum Table: UInt16 {
        case links = 18
        case addresses = 22
        case routes = 26

        /// Bytes of the fixed part of a message.
        var headSize: Int { self == .links ? 16 : self == .addresses ? 8 : 12 }
    }

    private let descriptor: Int32

    /// `nil` where the kernel gives no such socket.
    init?() {
        descriptor = socket(16, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { return nil }
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Every entry of a table.
    func dump(_ table: Table, family: UInt8 = 0) -> [Message] {
        var head = [UInt8](repeating: 0, count: table.headSize)
        head[0] = family
        return exchange(table, flags: 0x301, head, [])
    }

    /// The route that a packet to `address` (4 or 16 bytes) would take.
    func route(to address: [UInt8]) -> Message? {
        var head = [UInt8](repeating: 0, count: Table.routes.headSize)
        head[0] = address.count == 4 ? 2 : 10
        head[1] = UInt8(address.count * 8)
        let attribute = bytes(UInt16(4 + address.count)) + bytes(UInt16(1)) + address
        return exchange(.routes, flags: 1, head, attribute).first
    }

    private func bytes<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
        (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: number.littleEndian >> ($0 * 8)) }
    }

    private func exchange(_ table: Table, flags: UInt16, _ head: [UInt8], _ attributes: [UInt8]) -> [Message] {
        let length = UInt32(16 + head.count + attributes.count)
        let request =
            bytes(length) + bytes(table.rawValue) + bytes(flags) + bytes(UInt32(1)) + bytes(UInt32(0)) + head
            + attributes
        // struct sockaddr_nl: family 16, the kernel's own address is all zeros.
        var kernel = sockaddr()
        kernel.sa_family = 16
        let sent = unsafe sendto(descriptor, request, request.count, 0, &kernel, 12)
        guard sent == request.count else { return [] }
        var found: [Message] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return found }
            guard take(buffer[..<count], table, into: &found), flags & 0x300 != 0 else { return found }
        }
    }

    /// Adds the messages of one datagram; `false` when it held the end of the answer or an error.
    private func take(_ datagram: ArraySlice<UInt8>, _ table: Table, into found: inout [Message]) -> Bool {
        var rest = datagram
        while rest.count >= 16 {
            let length = Int(number(rest, 0, UInt32.self))
            let type = number(rest, 4, UInt16.self)
            guard length >= 16, length <= rest.count else { return false }
            // 2 is an error, 3 the end.
            if type == 2 || type == 3 { return false }
            let body = rest.prefix(length).dropFirst(16)
            if body.count >= table.headSize {
                found.append(
                    Message(
                        type: type, head: Array(body.prefix(table.headSize)),
                        attributes: attributes(body.dropFirst(table.headSize))))
            }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return true
    }

    private func attributes(_ bytes: ArraySlice<UInt8>) -> [UInt16: [UInt8]] {
        var found: [UInt16: [UInt8]] = [:]
        var rest = bytes
        while rest.count >= 4 {
            let length = Int(number(rest, 0, UInt16.self))
            guard length >= 4, length <= rest.count else { break }
            // The two top bits are flags of the number.
            found[number(rest, 2, UInt16.self) & 0x3fff] = Array(rest.prefix(length).dropFirst(4))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }

    private func number<T: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ type: T.Type) -> T {
        bytes.dropFirst(offset).littleEndianNumber()
    }
}

extension Collection<UInt8> {
    /// The number that the first bytes hold, least significant first; missing bytes count as zero.
    func littleEndianNumber<T: FixedWidthInteger>() -> T {
        var number: T = 0
        for (index, byte) in prefix(MemoryLayout<T>.size).enumerated() {
            number |= T(truncatingIfNeeded: byte) << (index * 8)
        }
        return number
    }
}
