import Dispatch
import Glibc
import HTTP
import Testing

/// The `openssl` command, which plays the server and makes the certificates.
enum OpenSSLCommand {
    static let isInstalled = run("openssl version >/dev/null 2>&1") == 0

    /// Runs a shell command to its end.
    @discardableResult static func run(_ command: String) -> Int32 {
        guard let child = start(command) else { return -1 }
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Starts a shell command.
    static func start(_ command: String) -> pid_t? {
        var child: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
        for text in ["sh", "-c", command] { unsafe arguments.append(strdup(text)) }
        unsafe arguments.append(nil)
        defer { for unsafe argument in unsafe arguments { unsafe free(argument) } }
        let code = unsafe posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ)
        return code == 0 ? child : nil
    }
}

/// A folder with an authority `ca.pem`, a server's certificate for `good.test`, `*.wild.test` and 127.0.0.1, and a
/// client's certificate.
final class Certificates: Sendable {
    let folder: String

    init() throws {
        var template = Array("/tmp/gantry-tls-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        let status = OpenSSLCommand.run(
            """
            exec >'\(folder)/log' 2>&1; set -e; cd '\(folder)'
            openssl req -x509 \(key) -keyout ca.key -out ca.pem -subj '/CN=Test CA'
            openssl req -x509 \(key) -keyout other.key -out other.pem -subj '/CN=Other CA'
            openssl req -x509 -CA ca.pem -CAkey ca.key \(key) -keyout server.key -out server.pem -subj '/CN=server' \
                -addext 'subjectAltName=DNS:good.test,DNS:*.wild.test,IP:127.0.0.1' -addext basicConstraints=CA:FALSE
            openssl req -x509 -CA ca.pem -CAkey ca.key \(key) -keyout client.key -out client.pem -subj '/CN=client' \
                -addext basicConstraints=CA:FALSE
            openssl ec -in client.key -aes128 -passout pass:x -out locked.key
            head -c 3000000 /dev/zero | tr '\\0' z >big
            """)
        try #require(status == 0, "see \(folder)/log")
    }

    deinit { OpenSSLCommand.run("rm -rf '\(folder)'") }
}

/// `openssl s_server` on a free port; ends after its connections, or with this object.
final class TLSServer {
    let port: UInt16
    private let child: pid_t

    /// - Parameter connections: how many it takes.
    init(_ certificates: Certificates, _ options: String, connections: Int = 1) throws {
        let log = "\(certificates.folder)/server-\(UInt32.random(in: 0...UInt32.max)).log"
        child = try #require(
            OpenSSLCommand.start(
                """
                cd '\(certificates.folder)' && exec openssl s_server -accept 127.0.0.1:0 -cert server.pem \
                    -key server.key -naccept \(connections) \(options) </dev/null >'\(log)' 2>&1
                """))
        var found: UInt16?
        for _ in 0..<500 where found == nil {
            usleep(10000)
            if let line = contents(log).split(separator: "\n").first(where: { $0.hasPrefix("ACCEPT 127") }) {
                found = line.split(separator: ":").last.flatMap { UInt16($0) }
            }
        }
        port = try #require(found, "openssl s_server did not start")
    }

    deinit {
        kill(child, SIGKILL)
        var status: Int32 = 0
        unsafe waitpid(child, &status, 0)
    }
}

private func contents(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

/// A proxy for CONNECT that connects everything to one port of this machine.
final class TunnelProxy: Sendable {
    let port: UInt16
    private let listener: Int32

    init(to target: UInt16) {
        let (listener, port) = TunnelProxy.listening()
        self.listener = listener
        self.port = port
        DispatchQueue(label: "proxy").async {
            let client = accept(listener, nil, nil)
            if client < 0 { return }
            defer { close(client) }
            var bytes = [UInt8](repeating: 0, count: 65536)
            var head = 0
            while head < 4 || Array(bytes[head - 4..<head]) != Array("\r\n\r\n".utf8) {
                if unsafe recv(client, &bytes[head], 1, 0) <= 0 { return }
                head += 1
            }
            let server = TunnelProxy.connected(to: target)
            defer { close(server) }
            let answer = Array("HTTP/1.1 200 Connected\r\n\r\n".utf8)
            _ = unsafe send(client, answer, answer.count, Int32(MSG_NOSIGNAL))
            while true {
                var both = [pollfd(fd: client, events: 1, revents: 0), pollfd(fd: server, events: 1, revents: 0)]
                if unsafe poll(&both, 2, 5000) <= 0 { return }
                for (one, other) in [(0, server), (1, client)] where both[one].revents != 0 {
                    let count = unsafe recv(both[one].fd, &bytes, bytes.count, 0)
                    if count <= 0 { return }
                    if unsafe send(other, bytes, count, Int32(MSG_NOSIGNAL)) != count { return }
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func name(_ port: UInt16) -> [UInt8] {
        [UInt8(AF_INET), 0, UInt8(port >> 8), UInt8(port & 255), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    }

    private static func listening() -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = name(0)
        unsafe name.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            let address = unsafe start.assumingMemoryBound(to: sockaddr.self)
            unsafe bind(listener, address, 16)
            listen(listener, 4)
            var size: socklen_t = 16
            unsafe getsockname(listener, address, &size)
        }
        return (listener, UInt16(name[2]) << 8 | UInt16(name[3]))
    }

    private static func connected(to port: UInt16) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        unsafe name(port).withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            _ = unsafe connect(descriptor, start.assumingMemoryBound(to: sockaddr.self), 16)
        }
        return descriptor
    }
}
