import Crypto
import Glibc
import Machine
import Modules
import Playbooks
import Values

/// The files of `gantry vault`: read whole, written whole or not at all, and plain text where nobody else can read it.
struct VaultFiles {
    let configuration: Configuration
    /// What opens vaults.
    let secrets: [VaultSecret]

    private func failure(_ text: String) -> CommandFailure { CommandFailure(Diagnostic(text), status: 1) }

    /// A file, or standard input for `-`.
    func read(_ name: String) throws(CommandFailure) -> [UInt8] {
        if name == "-" { return Self.standardInput() }
        let path = Disk.absolute(name)
        do throws(Diagnostic) {
            if Disk.kind(path) == .folder { throw Diagnostic("[Errno 21] Is a directory: '\(path)'") }
            if let bytes = try Disk.contents(path) { return bytes }
            throw Diagnostic("[Errno 2] No such file or directory: '\(path)'")
        } catch { throw failure("Unable to read source file (\(path)): \(error.message)") }
    }

    static func standardInput() -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(0, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Links are followed: what they lead to is what is changed.
    func real(_ name: String) -> String { name == "-" ? name : Disk.realPath(name) ?? Disk.absolute(name) }

    /// Into a file that only this user may read, or to standard output for `-`.
    ///
    /// - Parameter like: the file whose owner and mode it gets.
    func write(_ bytes: [UInt8], to name: String, like before: stat? = nil) throws(CommandFailure) {
        if name == "-" { return Output.put(bytes, 1) }
        let path = Disk.absolute(name)
        let folder = Disk.folder(of: path)
        guard Disk.isAccessible(folder, W_OK) else { throw failure("Destination '\(folder)' not writable") }
        let attributes = Attributes(
            owner: before?.st_uid ?? geteuid(), group: before?.st_gid ?? getegid(),
            mode: before.map { $0.st_mode & 0o7777 } ?? 0o600)
        do throws(MachineError) {
            try LinuxMachine().replace(path, with: bytes, attributes: attributes)
        } catch { throw failure(error.message) }
    }

    // MARK: Vaults

    func encrypted(_ bytes: [UInt8], with secret: VaultSecret) throws(CommandFailure) -> [UInt8] {
        if Vault.isVaulted(String(decoding: bytes.prefix(32), as: UTF8.self)) {
            throw failure("input is already encrypted")
        }
        let salt = configuration.optional(.vaultEncryptSalt).map { Array($0.utf8) }
        do throws(VaultError) { return Array(try Vault.encrypt(bytes, with: secret, salt: salt).utf8) } catch {
            throw failure(error.description)
        }
    }

    /// - Parameter name: of the file, for errors.
    func opened(_ vault: [UInt8], _ name: String) throws(CommandFailure) -> (bytes: [UInt8], secret: VaultSecret) {
        do throws(VaultError) {
            return try Vault.open(
                String(decoding: vault, as: UTF8.self), with: secrets,
                matchesID: configuration.flag(.vaultIDMatch))
        } catch {
            var diagnostic = VaultOpener.diagnostic(error)
            diagnostic.message += " for \(name)"
            throw CommandFailure(diagnostic, status: 1)
        }
    }

    // MARK: Editing

    /// Opens the plain text in the editor, and gives what it was made. The temporary file is readable by this user
    /// only, and gone in any case: when the editor fails, and when a signal ends us.
    func edited(_ bytes: [UInt8], named name: String) throws(CommandFailure) -> [UInt8] {
        let scratch = try ScratchFile(bytes, like: name, in: configuration.file(.localTemporary) ?? "/tmp")
        defer { scratch.shred() }
        let line = configuration.string(.editor)
        let words = (try? ShellWords.split(line)) ?? []
        let editor = words.isEmpty ? ["vi"] : words
        do throws(Diagnostic) {
            _ = try ForegroundProgram.run(editor + [scratch.path])
            return try Disk.contents(scratch.path) ?? bytes
        } catch { throw CommandFailure(error, status: 1) }
    }
}

/// Plain text on the disk for as long as an editor has it.
private final class ScratchFile {
    let path: String
    private let folder: String

    init(_ bytes: [UInt8], like name: String, in parent: String) throws(CommandFailure) {
        var made = ""
        for part in parent.split(separator: "/") {
            made += "/\(part)"
            _ = unsafe mkdir(made, 0o700)
        }
        var template = Array("\(parent)/ansible-local-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw CommandFailure(
                Diagnostic(
                    "cannot make a temporary folder in '\(parent)': \(Disk.message(errno))",
                    notes: ["name another with local_tmp or ANSIBLE_LOCAL_TEMP"]), status: 1)
        }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Editors choose colours and indentation by the ending.
        let base = name.split(separator: "/").last ?? ""
        let ending = base.dropFirst().lastIndex(of: ".").map { String(base[$0...]) } ?? ""
        path = "\(folder)/plain\(ending)"
        Self.sweepOnSignals(path, folder)
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure(Diagnostic("cannot write '\(path)': \(Disk.message(errno))"), status: 1)
        }
        Output.put(bytes, descriptor)
        close(descriptor)
    }

    /// Overwritten, then removed.
    func shred() {
        for name in Disk.names(folder) {
            let file = "\(folder)/\(name)"
            var status = stat()
            let descriptor = unsafe open(file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
            if descriptor >= 0, unsafe fstat(descriptor, &status) == 0 {
                Output.put([UInt8](repeating: 0, count: Int(status.st_size)), descriptor)
                fsync(descriptor)
            }
            if descriptor >= 0 { close(descriptor) }
            _ = unsafe unlink(file)
        }
        _ = unsafe rmdir(folder)
        for number in [SIGTERM, SIGHUP] { _ = signal(number, SIG_DFL) }
    }

    private static func sweepOnSignals(_ path: String, _ folder: String) {
        unsafe scratchPath = strdup(path)
        unsafe scratchFolder = strdup(folder)
        for number in [SIGTERM, SIGHUP] {
            _ = signal(number) { number in
                if let path = unsafe scratchPath { _ = unsafe unlink(path) }
                if let folder = unsafe scratchFolder { _ = unsafe rmdir(folder) }
                _exit(128 + number)
            }
        }
    }
}

/// A signal handler reaches nothing but globals.
private nonisolated(unsafe) var scratchPath: UnsafeMutablePointer<CChar>?
private nonisolated(unsafe) var scratchFolder: UnsafeMutablePointer<CChar>?
