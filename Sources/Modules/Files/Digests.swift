import Crypto
import Machine
import Values

/// The digests that results and parameters name.
typealias DigestName = DigestAlgorithm

extension DigestAlgorithm: Choice {}

/// The digest of a file's content in hex; `nil` when there is no file, or none that may be read.
func digest(_ name: DigestName, of path: String, on machine: some MachineReader) throws(Failure) -> String? {
    let status = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
    guard status?.kind == .file else { return nil }
    var state = Digest(name)
    let found = try attempt { () throws(MachineError) in try machine.read(path) { state.update($0) } }
    return found ? state.finishHex() : nil
}

func digest(_ name: DigestName, of bytes: [UInt8]) -> String {
    name.hex(of: bytes)
}
