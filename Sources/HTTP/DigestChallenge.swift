import Crypto
import Values

/// What a server wants to see by Digest authentication (RFC 7616), quality `auth`.
struct DigestChallenge {
    private var fields: [String: String] = [:]
    private let algorithm: DigestAlgorithm

    /// `nil` where the field (`WWW-Authenticate`) asks for no Digest that is understood.
    init?(_ field: String) {
        var scheme = ""
        for part in Self.parts(of: field) {
            let (head, value) = part
            var words = head.split(separator: " ").map(String.init)
            if words.count == 2 || words.count == 1 && value == nil { scheme = words.removeFirst().lowercased() }
            guard scheme == "digest", let name = words.first, let value else { continue }
            fields[name.lowercased()] = fields[name.lowercased()] ?? value
        }
        guard fields["nonce"] != nil else { return nil }
        switch (fields["algorithm"] ?? "MD5").lowercased() {
        case "md5", "md5-sess": algorithm = .md5
        case "sha", "sha-sess": algorithm = .sha1
        case "sha-256", "sha-256-sess": algorithm = .sha256
        default: return nil
        }
        if let quality = fields["qop"], !quality.split(separator: ",").contains(where: { $0.trimmed == "auth" }) {
            return nil
        }
    }

    /// The parts between commas: what stands before the equals sign, and the value without its quotes.
    private static func parts(of field: String) -> [(String, String?)] {
        var parts: [(String, String?)] = []
        var rest = field[...]
        while !rest.isEmpty {
            let head = rest.prefix { $0 != "=" && $0 != "," }
            rest = rest.dropFirst(head.count)
            var value: String?
            if rest.first == "=" {
                rest = rest.dropFirst()
                var text = ""
                if rest.first == "\"" {
                    rest = rest.dropFirst()
                    while let next = rest.popFirst(), next != "\"" {
                        text.append(next == "\\" ? rest.popFirst() ?? next : next)
                    }
                } else {
                    text = rest.prefix { $0 != "," }.trimmed
                }
                rest = rest.drop { $0 != "," }
                value = text
            }
            parts.append((head.trimmed, value))
            rest = rest.dropFirst()
        }
        return parts
    }

    /// The value of the `Authorization` field.
    func answer(_ request: Request, _ credentials: Credentials) -> String {
        let (realm, nonce) = (fields["realm"] ?? "", fields["nonce"] ?? "")
        let own = Hex.encode(randomBytes(8))
        let target = request.url.target
        var secret = algorithm.hex(of: "\(credentials.user):\(realm):\(credentials.password.exposed)")
        if fields["algorithm"]?.lowercased().hasSuffix("-sess") ?? false {
            secret = algorithm.hex(of: "\(secret):\(nonce):\(own)")
        }
        let action = algorithm.hex(of: "\(request.method):\(target)")
        let hasQuality = fields["qop"] != nil
        let response = algorithm.hex(
            of: hasQuality ? "\(secret):\(nonce):00000001:\(own):auth:\(action)" : "\(secret):\(nonce):\(action)")
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        var text = "Digest username=\(quoted(credentials.user)), realm=\(quoted(realm)), nonce=\(quoted(nonce)), "
            + "uri=\(quoted(target)), response=\"\(response)\""
        if let opaque = fields["opaque"] { text += ", opaque=\(quoted(opaque))" }
        if let word = fields["algorithm"] { text += ", algorithm=\(word)" }
        if hasQuality { text += ", qop=auth, nc=00000001, cnonce=\"\(own)\"" }
        return text
    }
}
