import Values
import Crypto
import Glibc

/// Time since some fixed point, on the clock that nobody sets. Swift's own `ContinuousClock` would bring its tasks and
/// executors into the agent.
func monotonicTime() -> Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

/// When to give up waiting.
struct TimeLimits: Sendable {
    /// For any single wait.
    let idle: Duration
    /// For the whole request.
    /// On the monotonic clock.
    let end: Duration?
    /// The same as the user gave it, for messages.
    let total: Duration?

    init(idle: Duration, total: Duration? = nil) {
        self.idle = idle
        self.total = total
        end = total.map { monotonicTime() + $0 }
    }

    /// How long a wait that begins now may take; zero when the time is over.
    var next: Duration { end.map { min(idle, max(.zero, $0 - monotonicTime())) } ?? idle }

    var isOver: Bool { end.map { $0 <= monotonicTime() } ?? false }

    /// The error of a wait that took too long.
    func failure(waitingFor what: String) -> HTTPError {
        if let total, isOver { return HTTPError(.timeout, "the request took longer than \(spoken(total)): \(what)") }
        return HTTPError(.timeout, "\(what) for \(spoken(idle))")
    }
}

/// `30 s`, `1.5 s`.
func spoken(_ duration: Duration) -> String {
    let tenths = Int((duration / .milliseconds(100)).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
}

/// Bytes to and from a peer.
protocol ByteStream: AnyObject {
    /// Appends what has come, waiting for at least one byte; 0 at the end, `nil` when nothing came within `patience`
    /// (without it, that is an error).
    func read(into bytes: inout [UInt8], patience: Duration?) throws(HTTPError) -> Int?
    /// Sends all bytes.
    func write(_ bytes: [UInt8]) throws(HTTPError)
    /// Whether the end, once read, was the peer's word, and not possibly a cut.
    var isEndGenuine: Bool { get }
}

/// A numeric address.
struct Address {
    let bytes: [UInt8]
    var isIPv6: Bool { bytes.count == 16 }

    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            bytes = unsafe withUnsafeBytes(of: &four) { unsafe Array($0) }
        } else if unsafe inet_pton(AF_INET6, text, &six) == 1 {
            bytes = unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }
        } else {
            return nil
        }
    }
}

/// A connected socket: the owner of its descriptor.
final class SocketStream: ByteStream {
    private let descriptor: Int32
    /// `10.0.0.1:443` or the path of the socket, for messages.
    let peer: String
    private let limits: TimeLimits
    var isEndGenuine: Bool { true }

    /// Connects by TCP to a numeric address.
    convenience init(
        address: Address, port: UInt16, peer: String, timeout: Duration, limits: TimeLimits
    ) throws(HTTPError) {
        let wire = [UInt8(port >> 8), UInt8(port & 255)]
        // What `sockaddr_in` and `sockaddr_in6` hold: family, port, [flow], address, [scope or padding].
        let family = address.isIPv6 ? AF_INET6 : AF_INET
        var bytes = unsafe withUnsafeBytes(of: sa_family_t(family)) { unsafe Array($0) } + wire
        if address.isIPv6 { bytes += [0, 0, 0, 0] }
        bytes += address.bytes
        bytes += [UInt8](repeating: 0, count: address.isIPv6 ? 4 : 8)
        try self.init(family: family, name: bytes, peer: peer, timeout: timeout, limits: limits)
        var yes: Int32 = 1
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Connects to a Unix socket.
    convenience init(path: String, timeout: Duration, limits: TimeLimits) throws(HTTPError) {
        guard !path.isEmpty, path.utf8.count < 108, !path.utf8.contains(0) else {
            throw HTTPError(.request, "socket path '\(path.prefix(120))' is too long or empty: expected 1 to 107 bytes")
        }
        let name = unsafe withUnsafeBytes(of: sa_family_t(AF_UNIX)) { unsafe Array($0) } + Array(path.utf8) + [0]
        try self.init(family: AF_UNIX, name: name, peer: path, timeout: timeout, limits: limits)
    }

    private init(family: Int32, name: [UInt8], peer: String, timeout: Duration, limits: TimeLimits) throws(HTTPError) {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = socket(family, kind, 0)
        self.peer = peer
        self.limits = limits
        guard descriptor >= 0 else { throw HTTPError(.unreachable, "no socket for \(peer): \(errorText(errno))") }
        let result = unsafe name.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return Int32(-1) }
            let address = unsafe start.assumingMemoryBound(to: sockaddr.self)
            return unsafe connect(descriptor, address, socklen_t(bytes.count))
        }
        if result == 0 { return }
        guard errno == EINPROGRESS || errno == EINTR else { throw connectError(errno) }
        guard wait(for: POLLOUT, at: min(timeout, limits.next)) else {
            if limits.isOver { throw limits.failure(waitingFor: "connecting to \(peer)") }
            throw HTTPError(.timeout, "connection to \(peer) timed out after \(spoken(timeout))")
        }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        if code != 0 { throw connectError(code) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private func connectError(_ code: Int32) -> HTTPError {
        switch code {
        case ECONNREFUSED: HTTPError(.refused, "connection to \(peer) refused")
        case ETIMEDOUT: HTTPError(.timeout, "connection to \(peer) timed out")
        case EHOSTUNREACH, ENETUNREACH: HTTPError(.unreachable, "no route to \(peer)")
        default: HTTPError(.unreachable, "connection to \(peer): \(errorText(code))")
        }
    }

    /// Waits until the socket is ready; false when the time is over.
    private func wait(for events: Int32, at most: Duration) -> Bool {
        let end = monotonicTime() + most
        while true {
            let left = max(.zero, end - monotonicTime())
            let milliseconds = Int32(clamping: Int((left / .milliseconds(1)).rounded(.up)))
            var item = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = unsafe poll(&item, 1, milliseconds)
            if count > 0 { return true }
            if count == 0, monotonicTime() >= end { return false }
            if count < 0, errno != EINTR { return true }
        }
    }

    func read(into bytes: inout [UInt8], patience: Duration?) throws(HTTPError) -> Int? {
        var piece = [UInt8](repeating: 0, count: 65536)
        let size = piece.count
        while true {
            let count = unsafe recv(descriptor, &piece, size, 0)
            if count >= 0 {
                bytes += piece.prefix(count)
                return count
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                let most = patience.map { min($0, limits.next) } ?? limits.next
                if wait(for: POLLIN, at: most) { continue }
                if patience != nil, !limits.isOver { return nil }
                throw limits.failure(waitingFor: "no answer from \(peer)")
            case ECONNRESET: throw HTTPError(.closed, "connection to \(peer) closed by the other side")
            default: throw HTTPError(.closed, "reading from \(peer): \(errorText(errno))")
            }
        }
    }

    func write(_ bytes: [UInt8]) throws(HTTPError) {
        var start = 0
        while start < bytes.count {
            // The flag keeps a closed connection from killing the process by SIGPIPE.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
                return unsafe send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                start += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                if wait(for: POLLOUT, at: limits.next) { continue }
                throw limits.failure(waitingFor: "\(peer) took no data")
            case EPIPE, ECONNRESET: throw HTTPError(.closed, "connection to \(peer) closed by the other side")
            default: throw HTTPError(.closed, "writing to \(peer): \(errorText(errno))")
            }
        }
    }
}

/// TLS over another stream.
final class TLSStream: ByteStream {
    private var session: TLSSession
    private let under: any ByteStream
    private let host: String
    private(set) var isEndGenuine = false

    /// Connects and checks the server's certificate for `host`.
    init(over under: any ByteStream, context: TLSContext, host: String) throws(HTTPError) {
        self.under = under
        self.host = host
        do { session = try TLSSession(context, host: host) } catch { throw TLSStream.failure(error, host) }
        while true {
            let isDone: Bool
            do { isDone = try session.handshake() } catch {
                // The alert tells the server why.
                try? flush()
                throw TLSStream.failure(error, host)
            }
            try flush()
            if isDone { return }
            guard try fill(patience: nil) != 0 else {
                throw HTTPError(.tls, "'\(host)' closed the connection during the TLS handshake")
            }
        }
    }

    deinit {
        session.close()
        try? flush()
    }

    func read(into bytes: inout [UInt8], patience: Duration?) throws(HTTPError) -> Int? {
        while true {
            let reading: TLSSession.Reading
            do { reading = try session.read(into: &bytes) } catch { throw TLSStream.failure(error, host) }
            switch reading {
            case .bytes(let count): return count
            case .closed:
                isEndGenuine = true
                return 0
            case .needsMore:
                try flush()
                guard let count = try fill(patience: patience) else { return nil }
                if count == 0 { return 0 }
            }
        }
    }

    func write(_ bytes: [UInt8]) throws(HTTPError) {
        do { try session.write(bytes.span) } catch { throw TLSStream.failure(error, host) }
        try flush()
    }

    private func fill(patience: Duration?) throws(HTTPError) -> Int? {
        var received: [UInt8] = []
        let count = try under.read(into: &received, patience: patience)
        do { try session.receive(received.span) } catch { throw TLSStream.failure(error, host) }
        return count
    }

    private func flush() throws(HTTPError) {
        let bytes = session.output()
        if !bytes.isEmpty { try under.write(bytes) }
    }

    static func failure(_ error: TLSError, _ host: String) -> HTTPError {
        switch error.kind {
        case .file: HTTPError(.tls, error.message)
        case .certificate: HTTPError(.certificate, "'\(host)': \(error.message)")
        case .handshake: HTTPError(.tls, "'\(host)': \(error.message)")
        }
    }
}

/// The system's words for an error number, in lower case.
func errorText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    let words = unsafe String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
}
