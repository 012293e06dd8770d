import Patterns
import Values

extension Filters {
    static func addMarkup(_ table: inout FilterTable) {
        table.add("escape", "e", "forceescape") { (c) throws(TemplateError) in .string(escaped(try c.string())) }
        table.add("safe") { (c) throws(TemplateError) in .string(try c.string()) }
        table.add("striptags") { (c) throws(TemplateError) in
            let plain = try replaced(try c.string(), "(?s)<!--.*?-->|<.*?>", "")
            let words = try StringMethods.split(plain, nil).joined(separator: " ")
            let names = ["&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#34;": "\"", "&#39;": "'", "&amp;": "&"]
            let ordered = names.sorted { $0.key > $1.key }
            return .string(ordered.reduce(words) { StringMethods.replace($0, $1.key, $1.value) })
        }
        table.add("xmlattr", parameters: ["autospace"]) { (c) throws(TemplateError) in
            guard case .dict(let box) = c.value else { throw TemplateError("'xmlattr' takes a mapping") }
            var parts: [String] = []
            for pair in try DictMethods.pairs(box, c.evaluator) {
                guard case .tuple(let items) = pair, !items[1].isNull, !items[1].isUndefined else { continue }
                guard let key = items[0].text else {
                    throw TemplateError("expected string or bytes-like object, got '\(items[0].typeName)'")
                }
                if key.contains(where: { " />=\t\n".contains($0) }) {
                    throw TemplateError("invalid character in attribute name '\(key)'")
                }
                parts.append("\(escaped(key))=\"\(escaped(try c.evaluator.text(items[1])))\"")
            }
            let result = parts.joined(separator: " ")
            return .string(try c.flag(0, true) && !result.isEmpty ? " " + result : result)
        }
        table.add("urlencode") { (c) throws(TemplateError) in
            if case .string(let text) = c.value { return .string(percentEncoded(text.string, safe: "/")) }
            var pairs: [Datum] = []
            switch c.value {
            case .dict(let box): pairs = try DictMethods.pairs(box, c.evaluator)
            case .list, .tuple: pairs = try c.items()
            default: return .string(percentEncoded(try c.string(), safe: "/"))
            }
            var parts: [String] = []
            for pair in pairs {
                let items = try c.evaluator.items(of: pair)
                guard items.count == 2 else {
                    throw TemplateError("'urlencode' takes text, a mapping or a list of pairs")
                }
                let key = percentEncoded(try c.evaluator.text(items[0]), safe: "", plus: true)
                parts.append("\(key)=\(percentEncoded(try c.evaluator.text(items[1]), safe: "", plus: true))")
            }
            return .string(parts.joined(separator: "&"))
        }
        table.add("urldecode") { (c) throws(TemplateError) in
            .string(percentDecoded(StringMethods.replace(try c.strictString(), "+", " ")))
        }
        table.add("urlsplit", parameters: ["query"]) { (c) throws(TemplateError) in
            let parts = try URLParts.split(try c.strictString())
            guard let name = try c.text(0), !name.isEmpty else { return parts }
            guard case .dict(let box) = parts, let part = box[name] else {
                throw TemplateError(
                    "'urlsplit' knows no component '\(name)'",
                    words: "\(c.call.name): unknown URL component: \(name)")
            }
            return part
        }
        table.add("urlize", parameters: ["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"]) {
            (c) throws(TemplateError) in
            .string(try Links(c).marked(try c.string()))
        }
    }

    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&#34;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    static func replaced(_ text: String, _ pattern: String, _ template: String) throws(TemplateError) -> String {
        try regex { () throws(PatternError) in try Pattern(pattern).substitute(text, with: template).text }
    }

    static func percentEncoded(_ text: String, safe: String, plus: Bool = false) -> String {
        var out = ""
        for byte in text.utf8 {
            let character = Unicode.Scalar(byte)
            let plain = byte < 0x80 && (character.properties.isAlphabetic || ("0"..."9").contains(character)
                || "_.-~".unicodeScalars.contains(character) || safe.unicodeScalars.contains(character))
            if plain { out.unicodeScalars.append(character) } else if plus, byte == 0x20 { out += "+" } else {
                out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16).uppercased()
            }
        }
        return out
    }

    static func percentDecoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
            {
                out.append(value)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// Python's `urlsplit`.
enum URLParts {
    private static func number(_ text: Substring) throws(TemplateError) -> Int? {
        if text.isEmpty { return nil }
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(text) else {
            throw TemplateError("Port could not be cast to integer value as '\(text)'")
        }
        guard port < 65536 else { throw TemplateError("Port out of range 0-65535") }
        return port
    }

    static func split(_ url: String, readsPort: Bool = true) throws(TemplateError) -> Datum {
        let kept = url.unicodeScalars.drop { $0.value <= 0x20 }.filter { $0 != "\t" && $0 != "\r" && $0 != "\n" }
        let text = String(String.UnicodeScalarView(kept))
        var rest = text[...]
        func cut(_ mark: Character) -> String {
            guard let index = rest.firstIndex(of: mark) else { return "" }
            defer { rest = rest[..<index] }
            return String(rest[rest.index(after: index)...])
        }
        var scheme = ""
        if let colon = rest.firstIndex(of: ":"), let first = rest.first, first.isASCII, first.isLetter,
            rest[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        {
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        let fragment = cut("#")
        let query = cut("?")
        var netloc = ""
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            netloc = String(rest.prefix { $0 != "/" })
            rest = rest.dropFirst(netloc.count)
        }
        var host = netloc[...]
        var user: String?
        var password: String?
        if let at = netloc.lastIndex(of: "@") {
            let parts = netloc[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = String(parts[0])
            password = parts.count > 1 ? String(parts[1]) : nil
            host = netloc[netloc.index(after: at)...]
        }
        var port: Int?
        if let bracket = host.firstIndex(of: "]") {
            let behind = host[host.index(after: bracket)...]
            port = behind.hasPrefix(":") && readsPort ? try number(behind.dropFirst()) : nil
            host = host[..<bracket].dropFirst()
        } else if let colon = host.firstIndex(of: ":") {
            port = readsPort ? try number(host[host.index(after: colon)...]) : nil
            host = host[..<colon]
        }
        let box = DictBox()
        box["fragment"] = .string(fragment)
        box["hostname"] = host.isEmpty ? .null : .string(host.lowercased())
        box["netloc"] = .string(netloc)
        box["password"] = .optional(password)
        box["path"] = .string(String(rest))
        box["port"] = port.map { .int($0) } ?? .null
        box["query"] = .string(query)
        box["scheme"] = .string(scheme)
        box["username"] = .optional(user)
        return .dict(box)
    }
}

extension Filters {
    /// `uri`, `url` and `urn`.
    static func addLocatorTests(_ table: inout FilterTable) {
        @Sendable func parts(
            _ c: FilterCall, _ schemes: [String]
        ) throws(TemplateError) -> (scheme: String, netloc: String)? {
            guard case .string(let text) = c.value,
                case .dict(let box) = try URLParts.split(text.string, readsPort: false)
            else { return nil }
            let scheme = box["scheme"]?.text ?? ""
            if !schemes.isEmpty, !schemes.contains(scheme) { return nil }
            return (scheme, box["netloc"]?.text ?? "")
        }
        @Sendable func schemes(_ c: FilterCall) throws(TemplateError) -> [String] {
            guard let given = c[0], !given.isNull else { return [] }
            return try c.evaluator.items(of: given).compactMap(\.text)
        }
        table.add("uri", parameters: ["schemes"]) { (c) throws(TemplateError) in
            .bool(try parts(c, try schemes(c)) != nil)
        }
        table.add("url", parameters: ["schemes"]) { (c) throws(TemplateError) in
            guard let found = try parts(c, try schemes(c)) else { return .bool(false) }
            return .bool(!found.netloc.isEmpty || found.scheme == "file")
        }
        table.add("urn") { (c) throws(TemplateError) in .bool(try parts(c, ["urn"]) != nil) }
    }
}
