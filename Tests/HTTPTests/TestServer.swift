import Dispatch
import Glibc
import Synchronization

/// A server on this machine that answers each connection's one request with bytes that the test gives.
final class TestServer: Sendable {
    struct Received: Sendable {
        var head: String
        var body: [UInt8]
        /// The first line.
        var line: String { String(head.prefix { $0 != "\r" && $0 != "\r\n" }) }
        func field(_ name: String) -> String? {
            head.split(separator: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { String($0.dropFirst(name.count + 1).drop { $0 == " " }) }
        }
    }

    /// What is done with a connection: pieces of bytes, with a pause before each.
    struct Answer: Sendable {
        var pieces: [[UInt8]]
        var pause: Duration
        init(_ text: String, pause: Duration = .zero) { self.init([text], pause: pause) }
        init(_ pieces: [String], pause: Duration = .zero) {
            self.pieces = pieces.map { Array($0.utf8) }
            self.pause = pause
        }
        /// A whole answer with a length.
        static func ok(_ body: String = "", status: String = "200 OK", _ fields: String...) -> Answer {
            let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + fields
            return Answer(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        }
    }

    private let listener: Int32
    let port: UInt16
    private let log = Mutex<[Received]>([])
    var received: [Received] { log.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameters:
    ///   - path: of a Unix socket; TCP on a free port without it.
    ///   - greeting: sent before anything is read.
    init(path: String? = nil, greeting: String = "", _ answer: @escaping @Sendable (Received) -> Answer) {
        var name: [UInt8]
        let listener: Int32
        if let path {
            listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            name = [UInt8(AF_UNIX), 0] + Array(path.utf8) + [0]
        } else {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            name = [UInt8(AF_INET), 0, 0, 0, 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
        }
        unsafe name.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            let address = unsafe start.assumingMemoryBound(to: sockaddr.self)
            unsafe bind(listener, address, socklen_t(bytes.count))
            var size = socklen_t(bytes.count)
            if path == nil { unsafe getsockname(listener, address, &size) }
        }
        listen(listener, 16)
        port = path == nil ? UInt16(name[2]) << 8 | UInt16(name[3]) : 0
        self.listener = listener
        DispatchQueue(label: "server").async { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                // Closed here and nowhere else: its number may be another server's as soon as it is closed.
                if connection < 0 {
                    close(listener)
                    return
                }
                DispatchQueue(label: "connection").async { [weak self] in
                    defer { close(connection) }
                    let hello = Array(greeting.utf8)
                    if unsafe send(connection, hello, hello.count, Int32(MSG_NOSIGNAL)) < 0 { return }
                    guard let request = Self.readRequest(connection) else { return }
                    self?.log.withLock { $0.append(request) }
                    let reply = answer(request)
                    for piece in reply.pieces {
                        if reply.pause > .zero { usleep(UInt32(reply.pause / .microseconds(1))) }
                        if unsafe send(connection, piece, piece.count, Int32(MSG_NOSIGNAL)) < 0 { return }
                    }
                }
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func readRequest(_ connection: Int32) -> Received? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        let end = Array("\r\n\r\n".utf8)
        var request: Received?
        var missing = 0
        while true {
            let split = (0..<max(0, bytes.count - 3)).first { Array(bytes[$0..<$0 + 4]) == end }
            if request == nil, let split {
                let head = String(decoding: bytes[..<split], as: UTF8.self)
                request = Received(head: head, body: Array(bytes[(split + 4)...]))
                missing = request?.field("Content-Length").flatMap { Int($0) } ?? 0
                if let expect = request?.field("Expect") {
                    if expect != "100-continue" { return request }
                    let text = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
                    if head.contains("/refuse") { return request }
                    _ = unsafe send(connection, text, text.count, Int32(MSG_NOSIGNAL))
                }
            }
            if let request, request.body.count >= missing { return request }
            let count = unsafe recv(connection, &chunk, chunk.count, 0)
            if count <= 0 { return request }
            if request != nil { request?.body += chunk.prefix(count) } else { bytes += chunk.prefix(count) }
        }
    }
}
