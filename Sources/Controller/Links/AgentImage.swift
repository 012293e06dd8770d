import Glibc
package import Values

/// The agent's program as it is sent to nodes.
package struct AgentImage: Sendable {
    /// Where it is on the controller; run from there for `connection: local`.
    package let path: String
    package let program: [UInt8]
    package let compressed: [UInt8]
    /// SHA-256 of the program, in hex: its name on the node.
    package let digest: String
    /// As `uname -m` says it.
    package let architecture: String

    package init(path: String, program: [UInt8], compressed: [UInt8], digest: String) throws(Diagnostic) {
        self.path = path
        self.program = program
        self.compressed = compressed
        self.digest = digest
        architecture = try Self.architecture(of: program, path)
    }

    /// Reads the agent and its compressed form; makes that once, beside it, if there is none.
    ///
    /// - Parameter sha256: the digest in hex.
    package static func load(
        _ path: String, sha256: @Sendable ([UInt8]) -> String
    ) async throws(Diagnostic) -> AgentImage {
        guard case .success(let program) = wholeFile(path) else {
            throw Diagnostic(
                "the agent is not at '\(path)'",
                notes: [
                    "'make' builds it; 'make install' puts it where gantry looks; GANTRY_AGENT names another place"
                ])
        }
        let digest = sha256(program)
        let compressed = try await compressed(path, digest)
        return try AgentImage(path: path, program: program, compressed: compressed, digest: digest)
    }

    /// `PATH.DIGEST.gz`, made by `gzip` when it is not there; kept only in memory where that folder cannot be written.
    private static func compressed(_ path: String, _ digest: String) async throws(Diagnostic) -> [UInt8] {
        let cache = "\(path).\(digest.prefix(16)).gz"
        if case .success(let known) = wholeFile(cache), !known.isEmpty { return known }
        var bytes: [UInt8] = []
        do throws(LinkError) {
            let link = try ProcessLink(["gzip", "-9", "-n", "-c", path])
            await link.finish()
            while let more = try await link.receive() { bytes += more }
            guard await link.end() == .exited(0), !bytes.isEmpty else {
                throw LinkError("gzip could not compress '\(path)': \(await link.errorTail())")
            }
        } catch { throw error.problem }
        save(bytes, cache)
        return bytes
    }

    /// Best effort: a cache that cannot be written only costs time.
    private static func save(_ bytes: [UInt8], _ path: String) {
        let temporary = "\(path).\(getpid())"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { return }
        let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        guard written == bytes.count, unsafe rename(temporary, path) == 0 else {
            _ = unsafe unlink(temporary)
            return
        }
    }

    /// From the ELF header, little-endian: `e_machine` is at offset 18.
    private static func architecture(of program: [UInt8], _ path: String) throws(Diagnostic) -> String {
        guard program.count > 20, program.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
            throw Diagnostic("'\(path)' is not a program", notes: ["expected the agent, an ELF executable"])
        }
        switch Int(program[18]) | Int(program[19]) << 8 {
        case 62: return "x86_64"
        case 183: return "aarch64"
        case 243: return "riscv64"
        case let number: return "ELF machine \(number)"
        }
    }
}

/// A file's bytes, or the errno.
func wholeFile(_ path: String) -> Result<[UInt8], FileError> {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(FileError(code: errno)) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        if count < 0 { return .failure(FileError(code: errno)) }
        if count == 0 { return .success(bytes) }
        bytes += buffer[..<count]
    }
}

struct FileError: Error {
    var code: Int32
    var text: String { systemText(code) }
}
