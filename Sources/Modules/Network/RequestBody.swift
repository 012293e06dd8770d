import Crypto
import HTTP
import Machine
import Values

extension RequestURI {
    /// What is sent, and its type where the format decides it.
    func payload(on machine: some MachineReader, _ context: Context) throws(Failure) -> ([UInt8]?, String?) {
        if let src { return (try file(src, remote: remoteSrc, on: machine, context), nil) }
        if body.isNull && bodyFormat != .json { return (nil, nil) }
        switch bodyFormat {
        case .raw:
            switch body {
            case .list, .dict: return (Array(body.json().utf8), nil)
            default: return (Array(body.pythonText.utf8), nil)
            }
        case .json:
            let text = body.text ?? body.json()
            return (Array(text.utf8), "application/json")
        case .formUrlencoded:
            return (Array(try Self.form(body).utf8), "application/x-www-form-urlencoded")
        case .formMultipart:
            guard let fields = body.dict else { throw Failure("body must be mapping of fields") }
            return try multipart(fields, on: machine, context)
        }
    }

    /// Data as the body of a web form.
    static func form(_ body: Value) throws(Failure) -> String {
        var pairs: [(Value, Value)] = []
        switch body {
        case .string(let text): return text.string
        case .dict(let dict): pairs = dict.map { ($0.key, $0.value) }
        case .list(let list):
            for item in list {
                let pair = item.list ?? item.dict?.keys.map { $0 } ?? item.text?.map { .string(String($0)) } ?? []
                guard pair.count == 2 else { throw Failure(Self.noPair(pair.count)) }
                pairs.append((pair[0], pair[1]))
            }
        default: return body.pythonText
        }
        var words: [String] = []
        for (name, value) in pairs {
            for item in value.list ?? [value] where !item.isNull {
                words.append(encoded(name.pythonText) + "=" + encoded(item.pythonText))
            }
        }
        return words.joined(separator: "&")
    }

    /// Python's words for what is no pair of name and value.
    private static func noPair(_ count: Int) -> String {
        "failed to parse body as form_urlencoded: "
            + (count > 2
                ? "too many values to unpack (expected 2)" : "not enough values to unpack (expected 2, got \(count))")
    }

    /// As Python's `quote_plus`.
    private static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            case 32: out += "+"
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16).uppercased()
            }
        }
        return out
    }

    private func file(
        _ path: String, remote: Bool, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> [UInt8] {
        guard remote else {
            return try context.courier.contents(of: try context.courier.file(path, kind: .file))
        }
        let bytes = try attempt { () throws(MachineError) in
            try machine.contents(of: machine.expanded(path, context.environment))
        }
        guard let bytes else { throw Failure("Unable to open source file \(path)", result: ["elapsed": 0]) }
        return bytes
    }

    /// Fields and files in one body, in the order of the fields' names.
    private func multipart(
        _ fields: Dict, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> ([UInt8], String) {
        var parts: [(head: String, body: [UInt8])] = []
        for name in fields.names.sorted(by: Value.precedes) {
            var disposition = "form-data; name=\"\(Self.quoted(name))\""
            guard let entry = fields[name]?.dict else {
                guard let text = fields[name]?.text else {
                    throw Failure(
                        "failed to parse body as form-multipart: value must be a string, or mapping, cannot be type "
                            + "\(fields[name].map { typeName(of: $0) } ?? "NoneType"), as that of '\(name)' is")
                }
                let head = "Content-Type: text/plain\r\nContent-Disposition: \(disposition)"
                parts.append((head, Self.mailed(Array(text.utf8))))
                continue
            }
            let file = entry["filename"]?.text
            let content = entry["content"]?.text
            guard file != nil || content != nil else {
                throw Failure(
                    "failed to parse body as form-multipart: at least one of filename or content must be provided")
            }
            if let file { disposition += "; filename=\"\(Self.quoted(baseName(file)))\"" }
            let type = entry["mime_type"]?.text ?? "application/octet-stream"
            var head = "Content-Type: \(type)\r\nContent-Disposition: \(disposition)"
            var bytes = Self.mailed(Array((content ?? "").utf8))
            if content?.isEmpty ?? true, let file {
                bytes = try self.file(file, remote: remoteSrc, on: machine, context)
                if entry["multipart_encoding"]?.text == "7or8bit" {
                    bytes = Self.mailed(bytes)
                } else {
                    head += "\r\nContent-Transfer-Encoding: base64"
                    bytes = Self.lines(ofBase64: Base64.encode(bytes))
                }
            }
            parts.append((head, bytes))
        }
        let boundary = "===============gantry" + DigestAlgorithm.sha256.hex(of: parts.flatMap(\.body)).prefix(24) + "=="
        var out: [UInt8] = []
        for part in parts { out += "--\(boundary)\r\n\(part.head)\r\n\r\n".utf8 + part.body + "\r\n".utf8 }
        return (out + "--\(boundary)--\r\n".utf8, "multipart/form-data; boundary=\"\(boundary)\"")
    }

    private static func quoted(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").filter { !$0.isNewline }
    }

    /// With the line ends that mail has, whichever they were.
    private static func mailed(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var last: UInt8 = 0
        for byte in bytes {
            if byte == 13 || byte == 10 && last != 13 { out += [13, 10] } else if byte != 10 { out.append(byte) }
            last = byte
        }
        return out
    }

    /// Base64 in lines of 76 characters, as mail has it.
    private static func lines(ofBase64 text: String) -> [UInt8] {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            out += rest.prefix(76) + "\r\n".utf8
            rest = rest.dropFirst(76)
        }
        return out
    }
}
