import Crypto
import Machine
import Values

extension DigestAlgorithm: Choice {}

/// The digest of a file's content in hex; `nil` when there is no file.
func digest(_ name: DigestAlgorithm, of path: String, on machine: some MachineReader) throws(Failure) -> String? {
    let status = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
    guard status?.kind == .file else { return nil }
    var digest = Digest(name)
    let found = try attempt { () throws(MachineError) in try machine.read(path) { digest.update($0) } }
    return found ? digest.finishHex() : nil
}
