import Crypto
import Machine
import Values

extension DigestAlgorithm: Choice {}

/// The digest of a file's content by any name of hashlib; those that are not usual take the content as a whole.
func digest(_ kind: ContentDigest, of path: String, on machine: some MachineReader) throws(Failure) -> String? {
    if case .plain(let name) = kind { return try digest(name, of: path, on: machine) }
    let status = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
    guard status?.kind == .file else { return nil }
    var content: [UInt8] = []
    let found = try attempt { () throws(MachineError) in
        try machine.read(path) { (part) in for index in part.indices { content.append(part[index]) } }
    }
    return found ? kind.hex(of: content) : nil
}

/// The digest of a file's content in hex; `nil` when there is no file.
func digest(_ name: DigestAlgorithm, of path: String, on machine: some MachineReader) throws(Failure) -> String? {
    let status = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
    guard status?.kind == .file else { return nil }
    var digest = Digest(name)
    let found = try attempt { () throws(MachineError) in try machine.read(path) { digest.update($0) } }
    return found ? digest.finishHex() : nil
}
