import HTTP
import Testing

@Suite struct URLTests {
    @Test func takesAddressesApart() throws {
        let cases: [(String, host: String, port: UInt16, target: String, user: String?, shown: String)] = [
            ("http://example.com", "example.com", 80, "/", nil, "http://example.com/"),
            (
                "HTTPS://Example.COM:8443/a/b?c=d#e", "example.com", 8443, "/a/b?c=d", nil,
                "https://example.com:8443/a/b?c=d"
            ),
            ("http://h?q", "h", 80, "/?q", nil, "http://h/?q"),
            ("http://h/?", "h", 80, "/?", nil, "http://h/?"),
            ("http://[::1]:81/x", "::1", 81, "/x", nil, "http://[::1]:81/x"),
            ("https://[FE80::1]", "fe80::1", 443, "/", nil, "https://[fe80::1]/"),
            ("http://me:p%40ss:w@h/", "h", 80, "/", "me", "http://me:***@h/"),
            ("http://a@b@h/", "h", 80, "/", "a@b", "http://a@b@h/"),
            ("http://h/é?ü", "h", 80, "/%C3%A9?%C3%BC", nil, "http://h/%C3%A9?%C3%BC"),
            ("http://h:/x", "h", 80, "/x", nil, "http://h/x"),
            ("http://h/a%20b%zz", "h", 80, "/a%20b%zz", nil, "http://h/a%20b%zz"),
            ("http://my_host.local/{x}", "my_host.local", 80, "/%7Bx%7D", nil, "http://my_host.local/%7Bx%7D"),
        ]
        for (text, host, port, target, user, shown) in cases {
            let url = try URL(text)
            #expect(url.host == host)
            #expect(url.port == port)
            #expect(url.target == target)
            #expect(url.user == user)
            #expect("\(url)" == shown)
        }
        #expect(try URL("http://me:p%40ss:w@h/").password == "p@ss:w")
    }

    @Test func refusesWhatIsNoAddress() {
        let cases = [
            ("", "URL '' is not complete: expected http://HOST/…"),
            ("example.com/x", "URL 'example.com/x' is not complete: expected http://HOST/…"),
            ("ftp://h/x", "URL 'ftp://h/x' has the scheme 'ftp': expected http or https"),
            ("http://h/a b", "URL 'http://h/a b' has a space in it: write %20"),
            ("http://h/\r\nX: y", "URL 'http://h/\r\nX: y' has a control character in it"),
            ("http:///x", "URL 'http:///x' has no host"),
            ("http://:80/", "URL 'http://:80/' has no host"),
            ("http://h:0/", "URL 'http://h:0/' has the port '0': expected 1 to 65535"),
            ("http://h:65536/", "URL 'http://h:65536/' has the port '65536': expected 1 to 65535"),
            ("http://h:+1/", "URL 'http://h:+1/' has the port '+1': expected 1 to 65535"),
            ("http://::1/", "URL 'http://::1/' has several ':' in its host: write an IPv6 address in [ ]"),
            ("http://[::1/", "URL 'http://[::1/' has a '[' without its ']'"),
            ("http://[zz]/", "URL 'http://[zz]/' has no IPv6 address in its brackets"),
            ("http://[1.2.3.4]/", "URL 'http://[1.2.3.4]/' has no IPv6 address in its brackets"),
            ("http://[::1]x/", "URL 'http://[::1]x/' has text behind ']'"),
            ("http://h%00/", "URL 'http://h%00/' has a host that cannot be a name: 'h%00'"),
            ("http://bücher.de/", "URL 'http://bücher.de/' has a host that cannot be a name: 'bücher.de'"),
            ("http://u:secret@h:x/", "URL 'http://u:***@h:x/' has the port 'x': expected 1 to 65535"),
        ]
        for (text, message) in cases {
            let error = #expect(throws: HTTPError.self) { try URL(text) }
            #expect(error?.message == message)
            #expect(error?.kind == .url)
        }
    }

    /// RFC 3986, 5.4.
    @Test(arguments: [
        ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"),
        ("//g", "http://g/"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"), (";x", "http://a/b/c/;x"), ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"),
        ("..", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"), ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), ("./../g", "http://a/b/g"),
        ("https://x:1/y", "https://x:1/y"), ("a b", "http://a/b/c/a%20b"),
    ])
    func resolvesReferences(_ reference: String, _ expected: String) throws {
        #expect(try URL("http://a/b/c/d;p?q").resolving(reference).text == expected)
    }

    @Test func readsAndWritesDates() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            #expect(HTTPDate.seconds(text) == 784_111_777)
        }
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.text(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate.text(-1) == "Wed, 31 Dec 1969 23:59:59 GMT")
        for seconds in stride(from: -5_000_000_000, to: 60_000_000_000, by: 7_654_321_987) {
            #expect(HTTPDate.seconds(HTTPDate.text(seconds)) == seconds)
        }
        let broken = [
            "", "now", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "a b c d e", "1 2 3 4 5 6",
        ]
        for text in broken {
            #expect(HTTPDate.seconds(text) == nil)
        }
    }
}
