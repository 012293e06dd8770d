import Values

/// What a node is to be, as it is handed out: named blobs, and what the signature covers.
///
/// On disk or behind a web server: `nodes/HOST` holds a line with the signature and the manifest as JSON below it;
/// `blobs/sha256/DIGEST` holds plans and files. Everything else is named in the manifest, so one signature covers all.
package struct Manifest: Sendable, Hashable {
    package static let format = 1
    package static let signatureWord = "gantry-signature-1"

    package struct Blob: Sendable, Hashable {
        /// SHA-256 in hex.
        package var digest: String
        package var size: Int
        package init(digest: String, size: Int) {
            self.digest = digest
            self.size = size
        }
    }

    package var host: String
    /// Grows with every publication; an agent refuses one that is lower than the last it ran.
    package var sequence: Int
    /// Seconds since 1970.
    package var created: Int
    /// Version of `Wire` that the plans are written in.
    package var wire: Int
    /// Plans in the order in which they run.
    package var plays: [Blob]
    /// Files that the plans name.
    package var files: [Blob]

    package init(host: String, sequence: Int, created: Int, plays: [Blob], files: [Blob]) {
        self.host = host
        self.sequence = sequence
        self.created = created
        wire = wireVersion
        self.plays = plays
        self.files = files
    }

    /// The bytes that are signed.
    package var json: String {
        func list(_ blobs: [Blob]) -> Value {
            .list(blobs.map { ["digest": .string($0.digest), "size": .int($0.size)] })
        }
        let value: Value = [
            "format": .int(Self.format), "host": .string(host), "sequence": .int(sequence), "created": .int(created),
            "wire": .int(wire), "plays": list(plays), "files": list(files),
        ]
        return value.json(JSONStyle(indent: 1)) + "\n"
    }

    /// The file: signature line, then the JSON.
    package func file(signature: String) -> String { "\(Self.signatureWord) \(signature)\n\(json)" }

    /// Takes a file apart; the signature is not looked at here.
    package static func split(_ file: String) -> (signature: String, json: String)? {
        guard let newline = file.firstIndex(of: "\n") else { return nil }
        let words = file[..<newline].split(separator: " ")
        guard words.count == 2, words[0] == signatureWord else { return nil }
        return (String(words[1]), String(file[file.index(after: newline)...]))
    }

    package init(json text: String) throws(WireError) {
        let value: Value
        do throws(JSONError) { value = try Value(json: text) } catch {
            throw WireError("the manifest is not JSON: \(error.message)")
        }
        guard value["format"]?.int == Self.format else {
            throw WireError("the manifest has a format that this agent does not know")
        }
        func blobs(_ name: String) throws(WireError) -> [Blob] {
            var blobs: [Blob] = []
            for item in value[name]?.list ?? [] {
                guard let digest = item["digest"]?.text, digest.count == 64, digest.allSatisfy(\.isHexDigit),
                    let size = item["size"]?.int, size >= 0
                else { throw WireError("the manifest names a blob wrongly") }
                blobs.append(Blob(digest: digest, size: size))
            }
            return blobs
        }
        guard let host = value["host"]?.text, let sequence = value["sequence"]?.int,
            let created = value["created"]?.int,
            let wire = value["wire"]?.int
        else { throw WireError("the manifest lacks a host, a sequence, a time or a version") }
        self.init(
            host: host, sequence: sequence, created: created, plays: try blobs("plays"), files: try blobs("files"))
        self.wire = wire
    }
}
