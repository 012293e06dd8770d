import Machine
import Values

/// The digests that results and parameters name.
enum DigestName: String, CaseIterable, Choice { case md5, sha1, sha224, sha256, sha384, sha512 }

/// The digest of a file's content in hex; `nil` when there is no file, or none that may be read.
func digest(_ name: DigestName, of path: String, on machine: some MachineReader) throws(Failure) -> String? {
    let status = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
    guard status?.kind == .file else { return nil }
    var state = InterimDigest(name)
    let found = try attempt { () throws(MachineError) in try machine.read(path) { state.update($0) } }
    return found ? state.hex() : nil
}

func digest(_ name: DigestName, of bytes: [UInt8]) -> String {
    var state = InterimDigest(name)
    state.update(bytes)
    return state.hex()
}
