import Values
import Glibc

/// An `http` or `https` address, taken apart. What it shows of itself never holds the password.
package struct URL: Sendable, Hashable, CustomStringConvertible {
    package enum Scheme: String, Sendable { case http, https }

    package var scheme: Scheme
    /// Percent-decoded.
    package var user: String?
    /// Percent-decoded.
    package var password: String?
    /// A name in lower case, or a numeric address; an IPv6 address without its brackets.
    package var host: String
    package var port: UInt16
    /// Begins with `/`; percent-encoded.
    package var path: String
    /// What follows `?`; percent-encoded.
    package var query: String?

    /// Reads an absolute address. A fragment is dropped, other than ASCII is percent-encoded.
    package init(_ text: String) throws(HTTPError) {
        func refused(_ why: String) -> HTTPError { HTTPError(.url, "URL '\(URL.masked(text))' \(why)") }
        if let bad = text.unicodeScalars.first(where: { $0.value <= 32 || $0.value == 127 }) {
            throw refused(bad == " " ? "has a space in it: write %20" : "has a control character in it")
        }
        guard let start = URL.authorityStart(text) else { throw refused("is not complete: expected http://HOST/…") }
        let word = text[..<start].dropLast(3)
        guard let scheme = Scheme(rawValue: word.lowercased()) else {
            throw refused("has the scheme '\(word)': expected http or https")
        }
        self.scheme = scheme
        var rest = text[start...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        rest = rest.dropFirst(authority.count)

        var place = authority
        if let at = authority.lastIndex(of: "@") {
            let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = URL.percentDecoded(parts[0])
            password = parts.count > 1 ? URL.percentDecoded(parts[1]) : nil
            place = authority[authority.index(after: at)...]
        }
        let (host, port) = try URL.hostAndPort(place, refused)
        self.host = host
        self.port = port ?? (scheme == .https ? 443 : 80)

        let path = rest.prefix { $0 != "?" }
        self.path = path.isEmpty ? "/" : URL.percentEncoded(path)
        query = path.endIndex < rest.endIndex ? URL.percentEncoded(rest[path.endIndex...].dropFirst()) : nil
    }

    private static func hostAndPort(
        _ text: Substring, _ refused: (String) -> HTTPError
    ) throws(HTTPError) -> (String, UInt16?) {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw refused("has a '[' without its ']'") }
            host = text[text.index(after: text.startIndex)..<end]
            guard Address(String(host))?.isIPv6 == true else { throw refused("has no IPv6 address in its brackets") }
            let after = text[text.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw refused("has text behind ']'") }
            port = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            if port?.contains(where: { $0 == ":" }) == true {
                throw refused("has several ':' in its host: write an IPv6 address in [ ]")
            }
        }
        guard !host.isEmpty else { throw refused("has no host") }
        guard host.utf8.count <= 253, text.hasPrefix("[") || host.utf8.allSatisfy(isHostCharacter) else {
            throw refused("has a host that cannot be a name: '\(host.prefix(80))'")
        }
        guard let digits = port, !digits.isEmpty else { return (host.lowercased(), nil) }
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(digits), number > 0 else {
            throw refused("has the port '\(digits)': expected 1 to 65535")
        }
        return (host.lowercased(), number)
    }

    /// The host as it stands in an address: IPv6 in brackets.
    package var bracketedHost: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }

    /// `host:port`, always with the port.
    package var authority: String { "\(bracketedHost):\(port)" }

    /// What the `Host` field says: with the port only where it is not the scheme's own.
    var hostField: String { port == (scheme == .https ? 443 : 80) ? bracketedHost : authority }

    /// Path and query.
    package var target: String { query.map { "\(path)?\($0)" } ?? path }

    /// The address without user and password, as `uri` returns it.
    package var text: String { "\(scheme.rawValue)://\(hostField)\(target)" }

    package var description: String {
        guard let user else { return text }
        let hidden = password == nil ? "" : ":***"
        return "\(scheme.rawValue)://\(URL.percentEncoded(user))\(hidden)@\(hostField)\(target)"
    }

    /// Whether requests to both go to the same server, so that credentials for one may be shown to the other.
    func hasSameOrigin(as other: URL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// The address that a reference found at this one means (RFC 3986, 5.2).
    package func resolving(_ reference: String) throws(HTTPError) -> URL {
        // Servers do send spaces; everyone else reads them as %20.
        let text = reference.drop { $0 == " " }.map { $0 == " " ? "%20" : String($0) }.joined()
        if let colon = text.firstIndex(of: ":"), text[..<colon].allSatisfy({ $0.isLetter || $0.isNumber }),
            !text[..<colon].isEmpty
        {
            return try URL(text)
        }
        if text.hasPrefix("//") { return try URL("\(scheme.rawValue):\(text)") }
        let bare = text.prefix { $0 != "#" }
        let path = bare.prefix { $0 != "?" }
        var next = self
        if path.isEmpty {
            if path.endIndex == bare.endIndex { return self }
        } else if path.hasPrefix("/") {
            next.path = URL.withoutDots(path)
        } else {
            let folder = self.path.prefix(through: self.path.lastIndex(of: "/") ?? self.path.startIndex)
            next.path = URL.withoutDots(folder + path)
        }
        next.query = path.endIndex < bare.endIndex ? String(bare[path.endIndex...].dropFirst()) : nil
        // Through the front door again: the same checks hold for addresses that a server makes up.
        var checked = try URL("\(scheme.rawValue)://\(next.authority)\(next.target)")
        checked.user = user
        checked.password = password
        return checked
    }

    private static func withoutDots(_ path: Substring) -> String {
        var kept: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for part in parts where part != "." {
            if part == ".." { _ = kept.popLast() } else { kept.append(part) }
        }
        if parts.last == "." || parts.last == ".." { kept.append("") }
        return "/" + kept.joined(separator: "/")
    }

    /// The text of a broken address, without what may be a password.
    static func masked(_ text: String) -> String {
        let shown = text.count > 200 ? text.prefix(200) + "…" : Substring(text)
        guard let at = shown.lastIndex(of: "@") else { return String(shown) }
        let start = authorityStart(shown) ?? shown.startIndex
        guard start <= at, let colon = shown[start..<at].firstIndex(of: ":") else { return String(shown) }
        return shown[..<colon] + ":***" + shown[at...]
    }

    /// Where the host begins, or the user before it: behind the first `://`.
    private static func authorityStart<Text: StringProtocol>(_ text: Text) -> Text.Index? {
        // By hand: `firstRange(of:)` would link Swift's engine for regular expressions into the agent.
        text.utf8.indices.first { text.utf8[$0...].starts(with: "://".utf8) }
            .map { text.utf8.index($0, offsetBy: 3) }
    }

    /// Whether the text says which scheme it is of.
    static func hasScheme(_ text: String) -> Bool { authorityStart(text) != nil }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// Encodes what cannot stand in an address at all; what is encoded already stays.
    package static func percentEncoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte > 32, byte < 127, !"\"<>\\^`{|}".utf8.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += Array((byte < 16 ? "%0" : "%").utf8) + Array(String(byte, radix: 16, uppercase: true).utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Decodes `%XX`; a `%` that begins no such triple stays.
    package static func percentDecoded(_ text: some StringProtocol) -> String {
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                let high = hexDigit(source[index + 1]), let low = hexDigit(source[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
}
