import Crypto
@testable import HTTP
import Testing
import Values

/// What zlib has packed, in each of the ways that DEFLATE knows.
@Suite struct GzipTests {
    private static let fixed = "H4sIAAAAAAACA8tIzcnJV8hAJ7kAAIhZCxgAAAA="
    private static let dynamic = """
        H4sIAAAAAAACA3WUOw7DMAxD957CR9DPsnycDmlQwEiAIkOP33bvW2XQFClR63lsTdr5aPe2zmPfXu3a3tdt/eoK9YD6pH8SHqzD\
        gxMiiCOpqSIVKqjbEBOBGlH9RPmo3zpiinjcAt3ESaIHEYgp4ulGvfVBehI9SMQM5BnYW6GeiR7M5N1Bs1VwQqo4VuVdUMMFUuet\
        C17VzvudHIrkJA1Mn1ZwLjDlJpwM5WtiQlzmQh1aiGIK0Q1LRg3mKu5woi5nN1zRw+85wEvhOC+Pf1P+AOt5z/4mBgAA
        """
    private static let stored = "H4sIAAAAAAAEAwEGAPn/c3RvcmVkC/lDVgYAAAA="
    private static let twice = "H4sIADDHDGsC/8vPS1UAAElhrCMEAAAAH4sIADDHDGsC/yspzwcAZorKEQMAAAA="

    private func inflated(_ text: String, limit: Int = 1 << 20) throws -> String {
        String(decoding: try Gzip.inflated(try Base64.decode(text), limit: limit), as: UTF8.self)
    }

    @Test func opensEveryKindOfBlock() throws {
        #expect(try inflated(Self.fixed) == "hello hello hello hello\n")
        #expect(try inflated(Self.dynamic) == (0..<60).map { "line \($0 * $0) of a longer text\n" }.joined())
        #expect(try inflated(Self.stored) == "stored")
        #expect(try inflated(Self.twice) == "one two")
    }

    @Test func refusesWhatIsBrokenOrTooLarge() throws {
        #expect(throws: HTTPError.self) { try self.inflated(Self.dynamic, limit: 1000) }
        #expect(throws: HTTPError.self) { try Gzip.inflated(Array("plain text, much longer".utf8), limit: 100) }
        let whole = try Base64.decode(Self.dynamic)
        for count in whole.indices {
            #expect(throws: HTTPError.self) { try Gzip.inflated(Array(whole[..<count]), limit: 1 << 20) }
        }
        var state: UInt64 = 7
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 33) % bytes.count] ^= UInt8(truncatingIfNeeded: state >> 20) | 1
            }
            if let out = try? Gzip.inflated(bytes, limit: 4000) { #expect(out.count == 1574) }
        }
    }
}

@Suite struct DigestChallengeTests {
    @Test func answersAsTheServerCounts() throws {
        let kinds: [(DigestAlgorithm, String)] = [
            (.md5, ""), (.sha256, ", algorithm=SHA-256"), (.md5, ", algorithm=MD5"),
        ]
        for (algorithm, word) in kinds {
            let field = "Digest realm=\"a \\\"b\\\"\", nonce=\"n=,1\", qop=\"auth,auth-int\", opaque=\"o\"\(word)"
            let request = Request("GET", try URL("http://h/dir/x?y=z"))
            let me = Credentials(user: "me", password: Secret("pw"))
            let answer = try #require(DigestChallenge(field)).answer(request, me)
            let own = try #require(answer.ranges(of: "cnonce=\"").last.map { answer[$0.upperBound...].dropLast() })
            let secret = algorithm.hex(of: "me:a \"b\":pw")
            let action = algorithm.hex(of: "GET:/dir/x?y=z")
            let response = algorithm.hex(of: "\(secret):n=,1:00000001:\(own):auth:\(action)")
            let shown = word.isEmpty ? "" : word
            #expect(
                answer == "Digest username=\"me\", realm=\"a \\\"b\\\"\", nonce=\"n=,1\", uri=\"/dir/x?y=z\", "
                    + "response=\"\(response)\", opaque=\"o\"\(shown), qop=auth, nc=00000001, cnonce=\"\(own)\"")
        }
    }

    @Test func leavesAloneWhatItDoesNotKnow() {
        for field in ["", "Basic realm=\"Digest nonce=x\"", "Digest x=\"y\"", "Digest nonce=a, qop=\"auth-int\"",
            "Digest nonce=a, algorithm=SHA-512-256", "Negotiate",
        ] {
            #expect(DigestChallenge(field) == nil, "\(field)")
        }
        #expect(DigestChallenge("Negotiate, Basic realm=x, Digest nonce=\"a\"") != nil)
    }
}
