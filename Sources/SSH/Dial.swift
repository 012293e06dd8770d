import Glibc

/// Where a socket can be connected to: one result of name resolution.
struct SocketAddress: Sendable {
    let family: Int32
    /// The `sockaddr`, as it is in memory.
    let bytes: [UInt8]

    /// All addresses of a host, in the order to try them.
    ///
    /// Blocks while names are looked up: not for a loop's thread.
    static func resolve(host: String, port: Int) -> Result<[SocketAddress], ResolutionError> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            return .failure(ResolutionError(text: unsafe String(cString: gai_strerror(code))))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ai_addr {
                let bytes = unsafe Array(UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen)))
                unsafe addresses.append(SocketAddress(family: entry.pointee.ai_family, bytes: bytes))
            }
            unsafe next = entry.pointee.ai_next
        }
        return .success(addresses)
    }

    struct ResolutionError: Error { let text: String }

    /// Whether the text is an address, which needs no look-up.
    static func isNumeric(_ host: String) -> Bool {
        var space = [UInt8](repeating: 0, count: 16)
        return unsafe inet_pton(AF_INET, host, &space) == 1 || inet_pton(AF_INET6, host, &space) == 1
    }
}

/// A TCP connection in the making: tries one address after the other, without blocking.
final class Dial {
    let id: UInt64
    private unowned let core: Core
    private var addresses: ArraySlice<SocketAddress>
    private let timeout: UInt64
    private var descriptor: Int32 = -1
    private var timer: UInt64?
    private var lastFailure = Failure.system(Errno(code: EHOSTUNREACH))
    private let completion: (Result<Int32, Failure>) -> Void

    enum Failure: Error {
        case timeout
        case abandoned
        case system(Errno)
    }

    /// - Parameters:
    ///   - timeout: nanoseconds for each address.
    ///   - completion: gets the connected descriptor, and owns it.
    init(
        id: UInt64, core: Core, addresses: [SocketAddress], timeout: UInt64,
        completion: @escaping (Result<Int32, Failure>) -> Void
    ) {
        self.id = id
        self.core = core
        self.addresses = addresses[...]
        self.timeout = timeout
        self.completion = completion
    }

    func start() {
        core.add(self)
        tryNext()
    }

    /// Asks the socket how its connecting went; called when it became writable.
    func advance() {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code == 0 else {
            return fail(.system(Errno(code: code)))
        }
        let connected = descriptor
        core.unwatch(connected)
        descriptor = -1
        finish(.success(connected))
    }

    func abandon() {
        drop()
        finish(.failure(.abandoned))
    }

    private func tryNext() {
        guard let address = addresses.popFirst() else { return finish(.failure(lastFailure)) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { return fail(.system(.current)) }
        let code = unsafe address.bytes.withUnsafeBytes { bytes -> Int32 in
            guard let start = bytes.baseAddress else { return -1 }
            return unsafe connect(
                descriptor, start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        if code == 0 { return advance() }
        guard errno == EINPROGRESS else { return fail(.system(.current)) }
        do throws(Errno) {
            try core.watch(descriptor, reading: false, writing: true, .dial(self))
        } catch { return fail(.system(error)) }
        timer = core.after(timeout) { [unowned self] in fail(.timeout) }
    }

    private func fail(_ failure: Failure) {
        lastFailure = failure
        drop()
        tryNext()
    }

    private func drop() {
        core.cancel(timer: timer)
        timer = nil
        guard descriptor >= 0 else { return }
        core.unwatch(descriptor)
        close(descriptor)
        descriptor = -1
    }

    private func finish(_ result: Result<Int32, Failure>) {
        core.cancel(timer: timer)
        timer = nil
        core.remove(self)
        completion(result)
    }
}
