import Crypto
import Machine
import Playbooks
import Values
import Wire

/// What `fetch` brings, on its way to its place on this machine.
struct FetchedFiles {
    /// Where relative paths begin.
    let folder: String
    let host: String

    func keep(_ file: FetchedFile) -> CallResult {
        do throws(Failure) { return CallResult(result: try kept(file)) } catch {
            return CallResult(result: ["failed": true, "changed": false, "msg": .string(error.message)])
        }
    }

    private struct Failure: Error {
        let message: String
    }

    private func kept(_ file: FetchedFile) throws(Failure) -> Dict {
        let path = try place(of: file)
        func digest(_ bytes: [UInt8], _ kind: DigestAlgorithm) -> Value { .string(kind.hex(of: bytes)) }
        let before = (try? Disk.contents(path)).flatMap { $0 }
        if let before, before == file.contents {
            return [
                "changed": false, "md5sum": digest(before, .md5), "file": .string(file.source), "dest": .string(path),
                "checksum": digest(before, .sha1),
            ]
        }
        do throws(CommandFailure) { try Output.write(file.contents, to: path) } catch {
            throw Failure(message: "Failed to fetch the file: \(error.description)")
        }
        return [
            "changed": true, "md5sum": digest(file.contents, .md5), "dest": .string(path), "remote_md5sum": .null,
            "checksum": digest(file.contents, .sha1), "remote_checksum": digest(file.contents, .sha1),
        ]
    }

    private func place(of file: FetchedFile) throws(Failure) -> String {
        let given = expandedPath(file.destination, Configuration.processEnvironment())
        let base = given.hasPrefix("/") ? given : "\(folder)/\(given)"
        guard file.isFlat else {
            let own = Self.normalized("\(base)/\(host)")
            let path = Self.normalized("\(own)/\(file.source)")
            guard path.hasPrefix(own + "/") else {
                throw Failure(
                    message: "Detected directory traversal, expected to be contained in '\(own)' but got '\(path)'")
            }
            return path
        }
        if !given.hasSuffix("/") {
            if Disk.kind(base) == .folder {
                throw Failure(
                    message: "dest is an existing directory, use a trailing slash if you want to fetch src into that "
                        + "directory")
            }
            return Self.normalized(base)
        }
        let path = Self.normalized("\(base)/\(file.source.split(separator: "/").last ?? "")")
        if Disk.kind(path) == .folder {
            throw Failure(
                message: "calculated dest '\(path)' is an existing directory, use another path that does not point to "
                    + "an existing directory")
        }
        return path
    }

    private static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
