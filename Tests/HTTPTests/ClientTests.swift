import Crypto
import Glibc
@testable import HTTP
import Synchronization
import Testing
import Values

@Suite struct ClientTests {
    typealias Answer = TestServer.Answer

    private func options() -> Client.Options {
        var options = Client.Options { name in
            if name == "nowhere.test" { throw HostUnknown() }
            return name == "two.test" ? ["127.0.0.2", "127.0.0.1"] : ["127.0.0.1"]
        }
        options.connectTimeout = .seconds(3)
        options.idleTimeout = .seconds(3)
        return options
    }

    struct HostUnknown: Error, CustomStringConvertible { var description: String { "not in /etc/hosts" } }

    private func get(_ url: String, _ change: (inout Request) -> Void = { _ in }) throws -> Response {
        var request = Request("GET", try URL(url))
        change(&request)
        return try Client(options()).send(request)
    }

    private func failure(_ url: String, _ options: Client.Options? = nil) -> HTTPError? {
        #expect(throws: HTTPError.self) {
            _ = try Client(options ?? self.options()).send(Request("GET", try URL(url)))
        }
    }

    @Test func sendsWhatServersExpect() throws {
        let server = TestServer { _ in
            .ok("hello", "X-A: 1", "x-a: 2", "ETag: \"t\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT")
        }
        let response = try get("\(server.url)/a?b") { $0.headers["Accept"] = "*/*" }
        #expect(response.status == 200)
        #expect(response.reason == "OK")
        #expect(response.body == Array("hello".utf8))
        #expect(response.headers["X-a"] == "1, 2")
        #expect(response.headers.values(of: "x-A") == ["1", "2"])
        #expect(response.tag == "\"t\"")
        #expect(response.lastModified == 784_111_777)
        #expect(response.url.text == "\(server.url)/a?b")
        #expect(
            server.received[0].head == """
                GET /a?b HTTP/1.1\r
                Accept: */*\r
                Host: 127.0.0.1:\(server.port)\r
                User-Agent: gantry\r
                Accept-Encoding: identity\r
                Connection: close
                """)
    }

    @Test func sendsBodiesFromMemoryAndFiles() throws {
        let server = TestServer { .ok(String($0.body.count)) }
        let big = [UInt8](repeating: 7, count: 3_000_000)
        let response = try Client(options()).send(Request("POST", try URL(server.url), body: .bytes(big)))
        #expect(response.body == Array("3000000".utf8))
        #expect(server.received[0].body == big)

        let path = "/tmp/gantry-http-body-\(getpid())"
        let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        #expect(descriptor >= 0)
        _ = unsafe unlink(path)
        defer { close(descriptor) }
        #expect(unsafe write(descriptor, big, 200_000) == 200_000)
        let file = Request.Body.file(descriptor: descriptor, length: 200_000)
        let put = try Client(options()).send(Request("PUT", try URL(server.url), body: file))
        #expect(put.body == Array("200000".utf8))
        #expect(server.received[1].body == Array(big.prefix(200_000)))
        let error = #expect(throws: HTTPError.self) {
            try Client(options()).send(
                Request("PUT", try URL(server.url), body: .file(descriptor: descriptor, length: 200_001)))
        }
        #expect(error?.message == "reading the file to be sent: it ends after 200000 of 200001 bytes")
        _ = try Client(options()).send(Request("POST", try URL(server.url)))
        // The request that broke off may be noted after this one.
        #expect(server.received.contains { $0.line.hasPrefix("POST") && $0.field("Content-Length") == "0" })
    }

    @Test func readsEveryFraming() throws {
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5\r\nhello\r\nA;x=y\r\n, world...\r\n0\r\nT: 1\r\n\r\n"
        let cases: [(Answer, String)] = [
            (.ok("hello"), "hello"), (Answer(chunked), "hello, world..."),
            (Answer(chunked.map { String($0) }, pause: .microseconds(10)), "hello, world..."),
            (Answer("HTTP/1.0 200 OK\n\nto the end"), "to the end"),
            (Answer("HTTP/1.1 200\r\nContent-Length: 2, 2\r\n\r\nokrest"), "ok"),
            (Answer("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n"), ""),
            (
                Answer("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 102 On\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
                "x"
            ),
            (Answer("HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nTransfer-Encoding: identity\r\n\r\nx"), "x"),
        ]
        for (answer, body) in cases {
            let server = TestServer { _ in answer }
            #expect(try get(server.url).body == Array(body.utf8))
        }
        let server = TestServer { _ in Answer("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n") }
        #expect(try get(server.url) { $0.method = "HEAD" }.body == [])
    }

    @Test func refusesWhatIsNotAnAnswer() throws {
        let cases: [(String, HTTPError.Kind, String)] = [
            ("", .closed, "PEER closed the connection without an answer"),
            ("HTTP/1.1 20", .closed, "PEER closed the connection in the middle of a line"),
            (
                "SSH-2.0-OpenSSH\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: its first line is 'SSH-2.0-OpenSSH'"
            ),
            (
                "HTTP/2 200 OK\r\n\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: its first line is 'HTTP/2 200 OK'"
            ),
            ("HTTP/1.1 099 x\r\n\r\n", .badResponse, "PEER did not answer in HTTP/1.1: its status is 99"),
            (
                "HTTP/1.1 200 OK\r\nno name\r\n\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: a header line without a name"
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", .badResponse,
                "PEER did not answer in HTTP/1.1: its content length is '3, 4'"
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: its content length is '-3'"
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .cut,
                "PEER closed the connection in the middle of the answer"
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nabc", .tooLarge,
                "the answer of PEER has 99999999 bytes, more than the limit of 1000"
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\n\(String(repeating: "x", count: 1001))", .tooLarge,
                "the answer of PEER is longer than the limit of 1000 bytes"
            ),
            (
                "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 70000))\r\n\r\n", .tooLarge,
                "the head of the answer of PEER exceeds 65536 bytes"
            ),
            (
                "HTTP/1.1 200 OK\r\n\(String(repeating: "X: y\r\n", count: 201))\r\n", .tooLarge,
                "the answer of PEER has more than 200 header fields"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: transfer encoding 'gzip, chunked', which was not asked for"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: the length of a chunk is not a number"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: a chunk is longer than it says"
            ),
            (
                "HTTP/1.1 101 Switch\r\n\r\n", .badResponse,
                "PEER did not answer in HTTP/1.1: it switched to another protocol without being asked"
            ),
            (
                String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 21), .badResponse,
                "PEER did not answer in HTTP/1.1: more than 20 interim answers"
            ),
        ]
        // Kept to the end: a port that is given out again may still be answered by the one before.
        var servers: [TestServer] = []
        for (text, kind, message) in cases {
            let server = TestServer { _ in Answer(text) }
            servers.append(server)
            var options = options()
            options.limits.memory = 1000
            let error = failure(server.url, options)
            #expect(error?.kind == kind)
            #expect(error?.message == message.replacing("PEER", with: "127.0.0.1:\(server.port)"))
        }
    }

    @Test func streamsToASink() throws {
        let server = TestServer { request in
            request.line.contains("missing")
                ? .ok("not here", status: "404 Not Found") : .ok(String(repeating: "y", count: 500_000))
        }
        var digest = Digest(.sha256)
        var count = 0
        let response = try Client(options()).send(Request("GET", try URL(server.url))) { piece in
            digest.update(piece)
            count += piece.count
        }
        #expect(count == 500_000)
        #expect(response.body.isEmpty)
        #expect(digest.finish() == DigestAlgorithm.sha256.digest(of: [UInt8](repeating: 121, count: 500_000)))

        let missing = try Client(options()).send(Request("GET", try URL("\(server.url)/missing"))) { _ in count = -1 }
        #expect(missing.status == 404)
        #expect(missing.body == Array("not here".utf8))
        #expect(count == 500_000)
        let error = #expect(throws: HTTPError.self) {
            try Client(options()).send(Request("GET", try URL(server.url))) { _ in throw HostUnknown() }
        }
        #expect(error == HTTPError.sink("not in /etc/hosts"))
    }

    @Test func followsRedirectsAsTheyAreToBe() throws {
        let server = TestServer { request in
            let path = request.line.split(separator: " ")[1]
            return Int(path.dropFirst()).map { .ok("", status: "\($0) Elsewhere", "Location: /end?x#y") } ?? .ok("end")
        }
        let cases: [(RedirectPolicy, String, Int, String)] = [
            (.all, "POST", 301, "GET"), (.all, "PUT", 301, "PUT"), (.all, "PUT", 302, "GET"), (.all, "PUT", 303, "GET"),
            (.all, "PUT", 307, "PUT body"), (.all, "POST", 308, "POST body"), (.all, "HEAD", 303, "HEAD"),
            (.safe, "GET", 302, "GET"), (.safe, "POST", 302, "302"), (.none, "GET", 302, "302"),
            (.urllib2, "GET", 307, "GET"), (.urllib2, "POST", 302, "GET"), (.urllib2, "POST", 307, "307"),
            (.urllib2, "PUT", 302, "302"), (.all, "GET", 304, "304"), (.all, "GET", 300, "300"),
        ]
        for (policy, method, status, expected) in cases {
            let body = method.hasPrefix("P") ? Request.Body.bytes(Array("body".utf8)) : .none
            var request = Request(method, try URL("\(server.url)/\(status)"), body: body, redirects: policy)
            request.headers["Content-Type"] = "text/plain"
            let response = try Client(options()).send(request)
            if Int(expected) != nil {
                #expect("\(response.status)" == expected)
                #expect(response.redirects == 0)
                continue
            }
            #expect(response.status == 200 && response.redirects == 1, "\(policy) \(method) \(status)")
            #expect(response.url.text == "\(server.url)/end?x")
            let last = try #require(server.received.last)
            let seen = last.line.prefix { $0 != " " } + (last.body.isEmpty ? "" : " body")
            #expect(seen == expected, "\(policy) \(method) \(status)")
            #expect((last.field("Content-Type") == nil) == (status < 307))
        }
        let loop = TestServer { _ in .ok("", status: "302 Found", "Location: again") }
        let error = failure(loop.url)
        #expect(error?.kind == .redirectLoop)
        #expect(error?.message == "more than 10 redirects, the last to '\(loop.url)/again'")
        #expect(loop.received.count == 11)
        let bad = TestServer { _ in .ok("", status: "302 Found", "Location: ftp://x/") }
        #expect(failure(bad.url)?.message == "URL 'ftp://x/' has the scheme 'ftp': expected http or https")
    }

    @Test func showsCredentialsOnlyToWhomTheyAreFor() throws {
        let other = TestServer { _ in .ok("other") }
        let server = TestServer { request in
            if request.line.contains("/away") { return .ok("", status: "302 Found", "Location: \(other.url)/") }
            return request.field("Authorization") == "Basic bWU6c2VjcmV0"
                ? .ok("in")
                : .ok("no", status: "401 Unauthorized", "WWW-Authenticate: Digest x=\"y\", Basic realm=\"r\"")
        }
        let me = Credentials(user: "me", password: Secret("secret"))
        #expect(try get(server.url) { $0.credentials = me }.body == Array("in".utf8))
        #expect(server.received.map { $0.field("Authorization") == nil } == [true, false])
        #expect(try get("http://me:secret@127.0.0.1:\(server.port)/").status == 200)
        #expect(try get("http://me:wrong@127.0.0.1:\(server.port)/").status == 401)
        #expect(try get(server.url).status == 401)
        let count = server.received.count
        let response = try get("\(server.url)/away") {
            $0.credentials = me
            $0.sendsCredentialsFirst = true
            $0.headers["Cookie"] = "a=b"
            $0.headers["X-Other"] = "c"
        }
        #expect(response.body == Array("other".utf8))
        #expect(server.received[count].field("Authorization") != nil)
        #expect(other.received[0].field("Authorization") == nil)
        #expect(other.received[0].field("Cookie") == nil)
        #expect(other.received[0].field("X-Other") == "c")
    }

    @Test func asksBeforeSendingWhenToldTo() throws {
        let server = TestServer { $0.line.contains("/refuse") ? .ok("no", status: "417 No") : .ok("yes") }
        for (path, status, length) in [("/", 200, 4), ("/refuse", 417, 0)] {
            var request = Request("POST", try URL(server.url + path), body: .bytes(Array("body".utf8)))
            request.expectsContinue = true
            #expect(try Client(options()).send(request).status == status)
            #expect(server.received.last?.body.count == length)
        }
    }

    @Test func givesUpInTime() throws {
        let silent = TestServer { _ in Answer(["HTTP/1.1 200 OK\r\n\r\n"], pause: .seconds(2)) }
        var options = options()
        options.idleTimeout = .milliseconds(200)
        #expect(failure(silent.url, options)?.message == "no answer from 127.0.0.1:\(silent.port) for 0.2 s")

        // One byte at a time is never idle, and yet does not last for ever.
        let slow = TestServer { _ in Answer((0..<100).map { _ in "H" }, pause: .milliseconds(50)) }
        options.idleTimeout = .seconds(2)
        options.totalTimeout = .milliseconds(300)
        let start = ContinuousClock.now
        let error = failure(slow.url, options)
        #expect(error?.kind == .timeout)
        #expect(error?.message == "the request took longer than 0.3 s: no answer from 127.0.0.1:\(slow.port)")
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func saysWhyThereIsNoConnection() throws {
        let server = TestServer { _ in .ok("x") }
        let error = failure("http://127.0.0.1:1/")
        #expect(error?.kind == .refused)
        #expect(error?.message == "connection to 127.0.0.1:1 refused")
        #expect(failure("http://name.test:1/")?.message == "connection to name.test:1 (127.0.0.1) refused")
        #expect(failure("http://nowhere.test/")?.message == "no address for host 'nowhere.test': not in /etc/hosts")
        // The first address refuses, the second answers.
        #expect(try get("http://two.test:\(server.port)/").body == Array("x".utf8))
        #expect(server.received[0].field("Host") == "two.test:\(server.port)")
    }

    @Test func speaksThroughUnixSockets() throws {
        let path = "/tmp/gantry-http-\(getpid()).sock"
        let server = TestServer(path: path) { _ in .ok("docker") }
        defer { _ = unsafe unlink(path) }
        #expect(try get("http://localhost/v1.41/info") { $0.unixSocket = path }.body == Array("docker".utf8))
        #expect(server.received[0].line == "GET /v1.41/info HTTP/1.1")
        let error = #expect(throws: HTTPError.self) { try get("http://d/") { $0.unixSocket = "/nonexistent/x.sock" } }
        #expect(error?.message == "connection to /nonexistent/x.sock: no such file or directory")
    }

    @Test func usesProxies() throws {
        let proxy = TestServer { $0.line.hasPrefix("CONNECT") ? .ok("", status: "403 Forbidden") : .ok("by proxy") }
        let server = TestServer { _ in .ok("direct") }
        var options = options()
        options.environment = [
            "http_proxy": "http://u:p%20w@127.0.0.1:\(proxy.port)", "HTTPS_PROXY": "127.0.0.1:\(proxy.port)",
            "no_proxy": "x.test, .direct.test",
        ]
        func body(_ url: String) throws -> String {
            String(decoding: try Client(options).send(Request("GET", try URL(url))).body, as: UTF8.self)
        }
        #expect(try body("http://far.test/x?y") == "by proxy")
        #expect(proxy.received[0].line == "GET http://far.test/x?y HTTP/1.1")
        #expect(proxy.received[0].field("Host") == "far.test")
        #expect(proxy.received[0].field("Proxy-Authorization") == "Basic \(Base64.encode("u:p w".utf8))")
        #expect(try body("http://a.direct.test:\(server.port)/") == "direct")
        #expect(try body("http://x.test:\(server.port)/") == "direct")
        let error = failure("https://far.test/", options)
        #expect(error?.kind == .proxy)
        #expect(error?.message == "proxy 127.0.0.1:\(proxy.port) does not connect to far.test:443: 403 Forbidden")
        #expect(proxy.received.last?.line == "CONNECT far.test:443 HTTP/1.1")
        options.environment["no_proxy"] = "*"
        #expect(try body("http://far.test:\(server.port)/") == "direct")
        options.environment = ["http_proxy": "socks5://h"]
        #expect(
            failure("http://far.test/", options)?.message
                == "http_proxy: URL 'socks5://h' has the scheme 'socks5': expected http or https")
    }

    @Test func refusesToSendBrokenFields() throws {
        let url = try URL("http://127.0.0.1:1/")
        let cases: [(Request, String)] = [
            (
                Request("GET", url, headers: ["X": "a\r\nY: b"]),
                "the value of header field 'X' holds a line end or control character"
            ),
            (Request("GET", url, headers: ["X Y": "a"]), "'X Y' cannot be the name of a header field"),
            (Request("G T", url), "'G T' cannot be a method"),
        ]
        for (request, message) in cases {
            let error = #expect(throws: HTTPError.self) { try Client(options()).send(request) }
            #expect(error?.message == message)
        }
    }
}

extension HTTPError {
    static func sink(_ message: String) -> HTTPError { HTTPError(.sink, message) }
}
