import Values
import Glibc

/// An address that needs no lookup, as the system takes it.
struct SocketAddress {
    /// The bytes of a `sockaddr_in` or `sockaddr_in6`.
    let bytes: [UInt8]
    let family: Int32

    /// - Parameter address: IPv4 or IPv6 in digits; IPv6 may name its interface behind `%`.
    init?(_ address: String, port: Int) {
        guard let port = UInt16(exactly: port) else { return nil }
        var four = sockaddr_in()
        var six = sockaddr_in6()
        if unsafe inet_pton(AF_INET, address, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            bytes = unsafe withUnsafeBytes(of: four) { unsafe Array($0) }
            family = AF_INET
            return
        }
        let parts = address.split(separator: "%", maxSplits: 1).map(String.init)
        guard let digits = parts.first, unsafe inet_pton(AF_INET6, digits, &six.sin6_addr) == 1 else { return nil }
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        if parts.count == 2 { six.sin6_scope_id = unsafe if_nametoindex(parts[1]) }
        bytes = unsafe withUnsafeBytes(of: six) { unsafe Array($0) }
        family = AF_INET6
    }
}

extension LinuxMachine {
    package func probe(address: String, port: Int, timeout: Double, readLimit limit: Int) -> Probe {
        guard let target = SocketAddress(address, port: port) else {
            return .refused("'\(address)' port \(port) is not an address")
        }
        let number = socket(target.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number < 0 { return .refused(systemMessage(errno)) }
        let connection = Descriptor(number)
        _ = fcntl(number, F_SETFL, O_NONBLOCK)
        let end = steadyTime() + timeout
        let result = uninterrupted {
            unsafe target.bytes.withUnsafeBytes { bytes in
                unsafe bytes.withMemoryRebound(to: sockaddr.self) { list in
                    unsafe connect(connection.raw, list.baseAddress, socklen_t(bytes.count))
                }
            }
        }
        if result == -EINPROGRESS {
            guard isReady(connection, Int16(POLLOUT), until: end) else { return .timedOut }
            var code: Int32 = 0
            var size = socklen_t(4)
            _ = unsafe getsockopt(connection.raw, SOL_SOCKET, SO_ERROR, &code, &size)
            if code == ETIMEDOUT { return .timedOut }
            if code != 0 { return .refused(systemMessage(code)) }
        } else if result < 0 {
            return .refused(systemMessage(-result))
        }
        return .open(limit > 0 ? received(connection, limit, until: end) : [])
    }

    /// Whether the descriptor became ready in time; a stop of the run counts as too late.
    private func isReady(_ file: borrowing Descriptor, _ events: Int16, until end: Double) -> Bool {
        while true {
            var polled = [pollfd(fd: file.raw, events: events, revents: 0), stop.polled]
            let left = end - steadyTime()
            wait(for: &polled, seconds: max(0, left))
            if polled[1].revents != 0 { return false }
            if polled[0].revents != 0 { return true }
            if left <= 0 { return false }
        }
    }

    /// What the other side sends: to the limit, to its end, or until it pauses for a tenth of a second.
    private func received(_ connection: borrowing Descriptor, _ limit: Int, until end: Double) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < limit {
            let pause = all.isEmpty ? end : min(end, steadyTime() + 0.1)
            guard isReady(connection, Int16(POLLIN), until: pause) else { break }
            let number = connection.raw
            let room = min(65536, limit - all.count)
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
                let count = uninterrupted { unsafe recv(number, buffer.baseAddress, room, 0) }
                initialized = max(0, count)
            }
            if bytes.isEmpty { break }
            all += bytes
        }
        return all
    }
}
