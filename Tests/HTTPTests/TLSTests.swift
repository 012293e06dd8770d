import Crypto
@testable import HTTP
import Testing

@Suite(.enabled(if: OpenSSLCommand.isInstalled, "needs the openssl command"))
struct TLSTests {
    private let certificates: Certificates
    init() throws { certificates = try Certificates() }

    private func client(_ tls: TLSOptions, environment: [String: String] = [:]) -> Client {
        var options = Client.Options { _ in ["127.0.0.1"] }
        options.connectTimeout = .seconds(5)
        options.idleTimeout = .seconds(5)
        options.tls = tls
        options.environment = environment
        return Client(options)
    }

    private var trusting: TLSOptions { TLSOptions(trust: .path("\(certificates.folder)/ca.pem")) }

    private func failure(_ url: String, _ tls: TLSOptions) -> HTTPError? {
        #expect(throws: HTTPError.self) { _ = try client(tls).send(Request("GET", try URL(url))) }
    }

    @Test(arguments: ["good.test", "a.wild.test", "127.0.0.1"], ["-tls1_2", "-tls1_3"])
    func talksToWhomTheCertificateNames(_ host: String, _ version: String) throws {
        let server = try TLSServer(certificates, "-www \(version)")
        let response = try client(trusting).send(Request("GET", try URL("https://\(host):\(server.port)/")))
        #expect(response.status == 200)
        #expect(String(decoding: response.body, as: UTF8.self).contains("Ciphers supported"))
    }

    @Test func takesLargeBodies() throws {
        let server = try TLSServer(certificates, "-WWW")
        var count = 0
        _ = try client(trusting).send(Request("GET", try URL("https://good.test:\(server.port)/big"))) {
            count += $0.count
        }
        #expect(count == 3_000_000)
    }

    @Test func goesThroughAProxy() throws {
        let server = try TLSServer(certificates, "-www")
        let proxy = TunnelProxy(to: server.port)
        let client = client(trusting, environment: ["https_proxy": "http://127.0.0.1:\(proxy.port)"])
        #expect(try client.send(Request("GET", try URL("https://good.test/"))).status == 200)
    }

    @Test func refusesOtherCertificates() throws {
        let server = try TLSServer(certificates, "-www", connections: 20)
        let folder = certificates.folder
        let cases: [(String, TLSOptions, String)] = [
            ("bad.test", trusting, "Hostname mismatch"),
            ("wild.test", trusting, "Hostname mismatch"),
            ("a.b.wild.test", trusting, "Hostname mismatch"),
            (
                "good.test", TLSOptions(trust: .path("\(folder)/other.pem")),
                "unable to get local issuer certificate"
            ),
        ]
        for (host, tls, why) in cases {
            let error = failure("https://\(host):\(server.port)/", tls)
            #expect(error?.kind == .certificate)
            #expect(error?.message == "'\(host)': certificate verify failed: \(why)")
        }
        let proxy = TunnelProxy(to: server.port)
        let error = #expect(throws: HTTPError.self) {
            try client(trusting, environment: ["https_proxy": "127.0.0.1:\(proxy.port)"])
                .send(Request("GET", try URL("https://127.0.0.2/")))
        }
        #expect(error?.message == "'127.0.0.2': certificate verify failed: IP address mismatch")
        // A certificate that is itself trusted, and none that is checked.
        let own = TLSOptions(trust: .path("\(folder)/server.pem"))
        #expect(try client(own).send(Request("GET", try URL("https://good.test:\(server.port)/"))).status == 200)
        let any = TLSOptions(trust: .everyone)
        #expect(try client(any).send(Request("GET", try URL("https://bad.test:\(server.port)/"))).status == 200)
    }

    @Test func showsItsOwnCertificate() throws {
        let folder = certificates.folder
        let server = try TLSServer(certificates, "-www -Verify 1 -verify_return_error -CAfile ca.pem", connections: 2)
        var tls = trusting
        tls.certificate = "\(folder)/client.pem"
        tls.key = "\(folder)/client.key"
        let url = try URL("https://good.test:\(server.port)/")
        let response = try client(tls).send(Request("GET", url))
        #expect(String(decoding: response.body, as: UTF8.self).replacing(" ", with: "").contains("CN=client"))
        #expect(failure(url.text, trusting)?.message == "'good.test': TLS reading: tlsv13 alert certificate required")
    }

    @Test func saysWhatIsWrongWithFiles() throws {
        let folder = certificates.folder
        let server = try TLSServer(certificates, "-www", connections: 20)
        let cases: [(TLSOptions, String)] = [
            (TLSOptions(trust: .path("/nonexistent")), "CA certificates '/nonexistent': no such file or directory"),
            (
                TLSOptions(trust: .path("\(folder)/ca.key")),
                "CA certificates '\(folder)/ca.key': no PEM certificate in it"
            ),
            (
                TLSOptions(trust: .everyone, certificate: "\(folder)/x.pem"),
                "client certificate or key '\(folder)/x.pem': no such file or directory"
            ),
            (
                TLSOptions(trust: .everyone, certificate: "\(folder)/client.pem", key: "\(folder)/server.key"),
                "client key '\(folder)/server.key': not the PEM key of '\(folder)/client.pem', "
                    + "or encrypted with a passphrase"
            ),
            (
                TLSOptions(trust: .everyone, certificate: "\(folder)/client.pem", key: "\(folder)/locked.key"),
                "client key '\(folder)/locked.key': not the PEM key of '\(folder)/client.pem', "
                    + "or encrypted with a passphrase"
            ),
        ]
        for (tls, message) in cases {
            let error = failure("https://good.test:\(server.port)/", tls)
            #expect(error?.kind == .tls)
            #expect(error?.message == message)
        }
    }

    @Test func refusesOldAndOtherProtocols() throws {
        let old = try TLSServer(certificates, "-www -tls1_1 -cipher ALL:@SECLEVEL=0")
        #expect(
            failure("https://127.0.0.1:\(old.port)/", trusting)?.message
                == "'127.0.0.1': TLS handshake: tlsv1 alert protocol version")
        let plain = TestServer(greeting: "220 mail.test ESMTP ready\r\n") { _ in .ok("") }
        #expect(
            failure("https://127.0.0.1:\(plain.port)/", trusting)?.message
                == "'127.0.0.1': the server does not speak TLS at this port (is it plain http?)")
    }

    /// A server that answers a handshake with anything at all.
    @Test func survivesBrokenHandshakes() throws {
        var generator = Generator(state: 3)
        let context = try TLSContext(TLSOptions(trust: .everyone))
        for _ in 0..<500 {
            var session = try TLSSession(context, host: "good.test")
            _ = try session.handshake()
            #expect(session.output().count > 100)
            // A record of a handshake, a ServerHello by its first byte, and then noise.
            let noise = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let head: [UInt8] = [22, 3, 3, 0, UInt8(clamping: noise.count), 2, 0, 0, UInt8(clamping: noise.count - 4)]
            do {
                try session.receive((Bool.random(using: &generator) ? head + noise : noise).span)
                #expect(try !session.handshake())
            } catch { #expect(!"\(error)".isEmpty) }
            _ = session.output()
        }
    }
}
