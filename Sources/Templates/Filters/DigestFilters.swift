import Crypto
import Values

extension Filters {
    static func addDigests(_ table: inout FilterTable) {
        for (name, algorithm) in [("md5", DigestAlgorithm.md5), ("sha1", .sha1), ("checksum", .sha1)] {
            table.add(name) { (c) throws(TemplateError) in .string(algorithm.hex(of: try c.string())) }
        }
        table.add("hash", parameters: ["hashtype"]) { (c) throws(TemplateError) in
            let name = try c[0].map { (datum) throws(TemplateError) in
                guard let text = datum.text else { throw TemplateError("name must be a string") }
                return text
            } ?? "sha1"
            guard let algorithm = ContentDigest(named: name.contains("_") ? name : name.lowercased()) else {
                throw TemplateError(
                    "unsupported hash type \(name)", hint: "known: \(ContentDigest.names.joined(separator: ", "))",
                    words: "unsupported hash type \(name)")
            }
            return .string(algorithm.hex(of: try c.string()))
        }
        table.add("b64encode", parameters: ["encoding", "urlsafe"]) { (c) throws(TemplateError) in
            let bytes = try encoded(try c.string(), try encodingName(c))
            return .string(Base64Text.encoded(bytes, urlSafe: try c.flag(1)))
        }
        table.add("b64decode", parameters: ["encoding", "urlsafe"]) { (c) throws(TemplateError) in
            guard let bytes = Base64Text.decoded(try c.string(), urlSafe: try c.flag(1)) else {
                throw TemplateError("this is not base64: incorrect padding")
            }
            return .string(try decoded(bytes, try encodingName(c)))
        }
        table.add("password_hash", parameters: ["hashtype", "salt", "salt_size", "rounds", "ident"]) {
            (c) throws(TemplateError) in
            if let size = c[2], !size.isNull, size.int == nil {
                throw TemplateError(
                    "'salt_size' is '\(size.typeName)', not an integer", words: "salt_size must be an integer")
            }
            return .string(
                try HashedPassword.of(
                    try c.string(), kind: try c.text(0) ?? "sha512", salt: try c.text(1), saltSize: try c.int(2),
                    rounds: try c.int(3), ident: try c.text(4)))
        }
        table.add("to_uuid", parameters: ["namespace"]) { (c) throws(TemplateError) in
            let namespace = try c.text(0) ?? "361E6D51-FAEC-444A-9079-341386DA8E2E"
            let digits = Array(namespace.filter { $0 != "-" && $0 != "{" && $0 != "}" })
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(digits[$0...($0 + 1)]), radix: 16)
            }
            guard digits.count == 32, bytes.count == 16 else {
                throw TemplateError(
                    "invalid value '\(namespace)' for 'namespace': expected a UUID",
                    words: "Invalid value '\(namespace)' for 'namespace': badly formed hexadecimal UUID string")
            }
            var hash = Array(DigestAlgorithm.sha1.digest(of: bytes + Array(try c.string().utf8)).prefix(16))
            hash[6] = hash[6] & 0x0f | 0x50
            hash[8] = hash[8] & 0x3f | 0x80
            let text = Array(Hex.encode(hash))
            return .string([0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(text[$0]) }.joined(separator: "-"))
        }
    }

    private static func encodingName(_ c: FilterCall) throws(TemplateError) -> String {
        guard let given = c[0] else { return "utf-8" }
        guard let name = given.text else {
            throw TemplateError("encode() argument 'encoding' must be str, not \(given.pythonName)")
        }
        if name.isEmpty { throw TemplateError("unknown encoding: ") }
        return name
    }

    private static func encoded(_ text: String, _ name: String) throws(TemplateError) -> [UInt8] {
        let encoding = try encoding(name)
        do throws(TextEncoding.Missing) { return try encoding.bytes(of: text) } catch {
            throw TemplateError("'\(error.scalar)' cannot be written in \(name)")
        }
    }

    private static func decoded(_ bytes: [UInt8], _ name: String) throws(TemplateError) -> String {
        guard let text = try encoding(name).text(of: bytes) else {
            throw TemplateError("the decoded bytes are not \(name)")
        }
        return text
    }

    private static func encoding(_ name: String) throws(TemplateError) -> TextEncoding {
        guard let found = TextEncoding(named: name) else {
            throw TemplateError("unknown encoding: \(name)", hint: "known: utf-8, utf-16, latin-1, windows-1252, …")
        }
        return found
    }
}

/// Base 64 as Python writes and reads it: what is none of its letters is passed over.
enum Base64Text {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encoded(_ bytes: [UInt8], urlSafe: Bool = false) -> String {
        var table = letters
        if urlSafe {
            table[62] = UInt8(ascii: "-")
            table[63] = UInt8(ascii: "_")
        }
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let chunk = bytes[start..<min(start + 3, bytes.count)]
            var bits = chunk.reduce(0) { $0 << 8 | Int($1) }
            bits <<= 8 * (3 - chunk.count)
            for position in 0..<4 {
                let value = bits >> (18 - 6 * position) & 63
                out.append(position <= chunk.count ? table[value] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// `nil` where the padding is wrong. Characters that are none of its letters are passed over, as Python does.
    static func decoded(_ text: String, urlSafe: Bool = false) -> [UInt8]? {
        var out: [UInt8] = []
        var bits = 0
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            var letter = byte
            if urlSafe, byte == UInt8(ascii: "-") { letter = UInt8(ascii: "+") }
            if urlSafe, byte == UInt8(ascii: "_") { letter = UInt8(ascii: "/") }
            if letter == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard let value = letters.firstIndex(of: letter) else { continue }
            bits = bits << 6 | value
            count += 1
            if count % 4 == 0 {
                out += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
                bits = 0
            }
        }
        switch count % 4 {
        case 0: return out
        case 2 where padding >= 2: return out + [UInt8(bits >> 4 & 255)]
        case 3 where padding >= 1: return out + [UInt8(bits >> 10 & 255), UInt8(bits >> 2 & 255)]
        default: return nil
        }
    }
}

/// As passlib hashes: its numbers of rounds, and salts of its lengths.
package enum HashedPassword {
    package static func of(
        _ password: String, kind: String, salt given: String?, saltSize: Int? = nil, rounds: Int? = nil,
        ident: String? = nil
    ) throws(TemplateError) -> String {
        let aliases = ["md5_crypt": "md5", "sha256_crypt": "sha256", "sha512_crypt": "sha512", "bcrypt": "blowfish"]
        let limits = ["sha256": 1000...999_999_999, "sha512": 1000...999_999_999, "blowfish": 4...31]
        let lengths = ["md5": 8, "sha256": 16, "sha512": 16, "blowfish": 22]
        guard let length = lengths[aliases[kind] ?? kind] else {
            let known = lengths.keys.sorted().joined(separator: ", ")
            throw TemplateError(
                "there is no password hash '\(kind)'", hint: "known: \(known)",
                words: "\(kind) is not in the list of supported passlib algorithms: \(known)")
        }
        let own = given ?? ""
        let salt = own.isEmpty ? PasswordHash.salt(length: min(length, max(1, saltSize ?? length))) : own
        let allowed = salt.utf8.allSatisfy { byte in
            (0x2e...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        guard allowed, salt.utf8.count <= length else {
            throw TemplateError(
                "the salt must be at most \(length) characters of ./A-Za-z0-9", words: "Could not hash the secret.")
        }
        if let rounds, let range = limits[aliases[kind] ?? kind], !range.contains(rounds) {
            throw TemplateError(
                "\(rounds) rounds of '\(kind)': expected \(range.lowerBound) to \(range.upperBound)",
                words: "Could not hash the secret.")
        }
        // As many as the formats have by themselves are not written.
        func shown(_ rounds: Int) -> Int? { rounds == 5000 ? nil : rounds }
        switch aliases[kind] ?? kind {
        case "md5": return PasswordHash.md5(password, salt: salt)
        case "sha256": return PasswordHash.sha256(password, salt: salt, rounds: shown(rounds ?? 535_000))
        case "sha512": return PasswordHash.sha512(password, salt: salt, rounds: shown(rounds ?? 656_000))
        default:
            guard let hash = PasswordHash.bcrypt(password, salt: salt, cost: rounds ?? 12, mark: ident ?? "2b")
            else { throw TemplateError("bcrypt takes a salt of 22 characters and 4 to 31 rounds") }
            return hash
        }
    }
}
