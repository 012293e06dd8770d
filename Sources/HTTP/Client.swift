import Values
package import Crypto
import Glibc

/// Sends requests and waits for their answers, one connection each.
package struct Client: Sendable {
    package struct Options: Sendable {
        /// The addresses of a host's name, best first. Numeric addresses do not get here.
        package var resolve: @Sendable (String) throws -> [String]
        /// For each connection, all addresses of the host together.
        package var connectTimeout: Duration = .seconds(10)
        /// For each wait for the other side.
        package var idleTimeout: Duration = .seconds(30)
        /// For the whole request with its redirects; `nil` for no such limit.
        package var totalTimeout: Duration?
        package var limits = ResponseLimits()
        package var redirectLimit = 10
        package var tls = TLSOptions()
        package var userAgent = "gantry"
        /// Where `http_proxy`, `https_proxy` and `no_proxy` are looked up; empty for no proxy.
        package var environment: [String: String] = [:]

        package init(resolve: @escaping @Sendable (String) throws -> [String]) { self.resolve = resolve }
    }

    private let options: Options

    package init(_ options: Options) { self.options = options }

    /// Sends a request, follows redirects as it says, and returns the last answer, of whatever status.
    ///
    /// - Parameter sink: takes the body of a successful answer (2xx) as it comes; other bodies, and all without a
    ///   sink, are in the response.
    package func send(_ request: Request, into sink: BodySink? = nil) throws(HTTPError) -> Response {
        let limits = TimeLimits(idle: options.idleTimeout, total: options.totalTimeout)
        var context: TLSContext?
        var request = request
        request.credentials = request.credentials ?? request.url.credentials
        var redirects = 0
        var isAsked = false
        let isForced = request.sendsCredentialsFirst
        while true {
            let wire = RequestWriter(request, userAgent: options.userAgent)
            try wire.check()
            let proxies = Proxies(environment: request.unixSocket == nil ? options.environment : [:])
            let proxy = try proxies.proxy(for: request.url)
            let stream = try connect(request, proxy: proxy, context: &context, limits: limits)
            let peer = request.unixSocket ?? request.url.authority
            var reader = ResponseReader(stream, limits: options.limits, peer: peer)
            let head = try exchange(wire, proxy: request.url.scheme == .http ? proxy : nil, reader: &reader)

            if head.status == 401, !isAsked, !request.sendsCredentialsFirst, let credentials = request.credentials {
                isAsked = true
                if asksForBasic(head) {
                    request.sendsCredentialsFirst = true
                    continue
                }
                if let digest = DigestChallenge(head.headers["WWW-Authenticate"] ?? "") {
                    request.authorization = digest.answer(request, credentials)
                    continue
                }
            }
            if let location = head.headers.values(of: "Location").first,
                let next = try request.redirected(by: head.status, to: location)
            {
                redirects += 1
                guard redirects <= options.redirectLimit else {
                    throw HTTPError(
                        .redirectLoop, "more than \(options.redirectLimit) redirects, the last to '\(next.url)'")
                }
                request = next
                if isForced, next.unredirectedHeaders.contains(where: { $0.lowercased() == "authorization" }) {
                    request.credentials = nil
                    request.sendsCredentialsFirst = false
                }
                isAsked = false
                if request.credentials == nil, let own = next.url.credentials { request.credentials = own }
                continue
            }
            let isStreamed = (200...299).contains(head.status)
            let body = try reader.body(of: head, method: request.method, into: isStreamed ? sink : nil)
            return Response(
                status: head.status, reason: head.reason, headers: head.headers, body: body, url: request.url,
                redirects: redirects)
        }
    }

    private func asksForBasic(_ head: ResponseHead) -> Bool {
        head.headers["WWW-Authenticate"]?.lowercased().split { $0 == " " || $0 == "," }.contains("basic") == true
    }

    /// Sends the request and reads the head of the answer.
    private func exchange(
        _ wire: RequestWriter, proxy: URL?, reader: inout ResponseReader
    ) throws(HTTPError) -> ResponseHead {
        try reader.stream.write(wire.head(through: proxy))
        if wire.request.expectsContinue, wire.hasBody {
            // Servers that do not know the question stay silent: then the body goes out anyway.
            if try reader.hasAnswer(within: .seconds(1)) {
                let head = try reader.head(keepsContinue: true)
                if head.status >= 200 { return head }
            }
        }
        do { try wire.writeBody(to: reader.stream) } catch {
            // A server may answer (413, 401) and close before it has read everything: its answer says more.
            guard error.kind == .closed, let head = try? reader.head() else { throw error }
            return head
        }
        return try reader.head()
    }

    private func connect(
        _ request: Request, proxy: URL?, context: inout TLSContext?, limits: TimeLimits
    ) throws(HTTPError) -> any ByteStream {
        let url = request.url
        let stream: any ByteStream
        if let path = request.unixSocket {
            stream = try SocketStream(path: path, timeout: options.connectTimeout, limits: limits)
        } else {
            stream = try connect(to: proxy ?? url, limits: limits)
        }
        guard url.scheme == .https else { return stream }
        if let proxy { try tunnel(stream, to: url, through: proxy) }
        let shared: TLSContext
        if let known = context {
            shared = known
        } else {
            do { shared = try TLSContext.shared(options.tls) } catch { throw TLSStream.failure(error, url.host) }
            context = shared
        }
        return try TLSStream(over: stream, context: shared, host: url.host)
    }

    /// Connects to the first of a host's addresses that answers.
    private func connect(to url: URL, limits: TimeLimits) throws(HTTPError) -> any ByteStream {
        var addresses: [(address: Address, text: String)] = []
        if let address = Address(url.host) {
            addresses = [(address, url.authority)]
        } else {
            let texts: [String]
            do { texts = try options.resolve(url.host) } catch {
                throw HTTPError(.resolve, "no address for host '\(url.host)': \(error)")
            }
            for text in texts {
                guard let address = Address(text) else { continue }
                let shown = address.isIPv6 ? "[\(text)]" : text
                addresses.append((address, "\(url.authority) (\(shown))"))
            }
            guard !addresses.isEmpty else { throw HTTPError(.resolve, "no address for host '\(url.host)'") }
        }
        var last = HTTPError(.resolve, "no address for host '\(url.host)'")
        let end = monotonicTime() + options.connectTimeout
        for (index, item) in addresses.enumerated() {
            // Each address gets its share of the time, and what those before it left.
            let left = max(.zero, end - monotonicTime()) / (addresses.count - index)
            do {
                return try SocketStream(
                    address: item.address, port: url.port, peer: item.text, timeout: left, limits: limits)
            } catch { last = error }
            if limits.isOver { break }
        }
        throw last
    }

    /// Asks a proxy to connect to the host behind it (CONNECT).
    private func tunnel(_ stream: any ByteStream, to url: URL, through proxy: URL) throws(HTTPError) {
        var lines = ["CONNECT \(url.authority) HTTP/1.1", "Host: \(url.authority)", "User-Agent: \(options.userAgent)"]
        if let credentials = proxy.credentials { lines.append("Proxy-Authorization: \(credentials.basic)") }
        try stream.write(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
        var reader = ResponseReader(stream, limits: options.limits, peer: "proxy \(proxy.authority)")
        let head = try reader.head()
        guard (200...299).contains(head.status) else {
            throw HTTPError(
                .proxy, "proxy \(proxy.authority) does not connect to \(url.authority): \(head.status) \(head.reason)")
        }
        guard reader.isDrained else {
            throw HTTPError(.proxy, "proxy \(proxy.authority) sent data before the connection to \(url.authority)")
        }
    }
}

/// Puts a request into bytes.
struct RequestWriter {
    let request: Request
    private let userAgent: String

    init(_ request: Request, userAgent: String) {
        self.request = request
        self.userAgent = userAgent
    }

    var hasBody: Bool { if case .none = request.body { false } else { true } }

    func check() throws(HTTPError) {
        guard !request.method.isEmpty, request.method.utf8.allSatisfy(isTokenCharacter) else {
            throw HTTPError(.request, "'\(request.method.prefix(40))' cannot be a method")
        }
        var headers = request.headers
        headers["User-Agent"] = headers["User-Agent"] ?? userAgent
        try headers.check()
    }

    /// - Parameter proxy: one that passes the request on, and so must see the whole address.
    func head(through proxy: URL?) -> [UInt8] {
        var headers = request.headers
        func set(_ name: String, _ value: String) { if headers[name] == nil { headers[name] = value } }
        set("Host", request.url.hostField)
        set("User-Agent", userAgent)
        set("Accept-Encoding", "identity")
        if request.sendsCredentialsFirst, let credentials = request.credentials {
            set("Authorization", credentials.basic)
        }
        if let authorization = request.authorization { set("Authorization", authorization) }
        if let credentials = proxy?.credentials { set("Proxy-Authorization", credentials.basic) }
        headers["Transfer-Encoding"] = nil
        switch request.body {
        case .bytes(let bytes): headers["Content-Length"] = String(bytes.count)
        case .file(_, let length): headers["Content-Length"] = String(length)
        case .none:
            headers["Content-Length"] = ["POST", "PUT", "PATCH"].contains(request.method) ? "0" : nil
        }
        headers["Expect"] = request.expectsContinue && hasBody ? "100-continue" : nil
        headers["Connection"] = "close"
        let target = proxy == nil ? request.url.target : request.url.text
        var text = "\(request.method) \(target) HTTP/1.1\r\n"
        for field in headers.fields { text += "\(field.name): \(field.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    func writeBody(to stream: any ByteStream) throws(HTTPError) {
        switch request.body {
        case .none: break
        case .bytes(let bytes): try stream.write(bytes)
        case .file(let descriptor, let length):
            var position = 0
            while position < length {
                var piece = [UInt8](repeating: 0, count: min(65536, length - position))
                let size = piece.count
                let count = unsafe pread(descriptor, &piece, size, position)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let why = count == 0 ? "it ends after \(position) of \(length) bytes" : errorText(errno)
                    throw HTTPError(.request, "reading the file to be sent: \(why)")
                }
                try stream.write(Array(piece.prefix(count)))
                position += count
            }
        }
    }
}
