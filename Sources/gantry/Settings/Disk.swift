import Crypto
import Glibc
import Playbooks
import Values

/// Plain reads of the controller's disk.
enum Disk {
    static func kind(_ path: String) -> ProjectFileKind? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }

    static func mode(_ path: String) -> Int {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_mode & 0o7777) : 0o644
    }

    /// Where a link points, as written; `nil` for what is no link.
    static func target(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink(path, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// When it was written last, in local time with microseconds, and whose it is.
    static func origin(_ path: String) -> (modified: String, owner: String)? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        var parts = unsafe tm()
        unsafe localtime_r(&status.st_mtim.tv_sec, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        let day = unsafe [(parts.tm_year + 1900, 4), (parts.tm_mon + 1, 2), (parts.tm_mday, 2)]
        let time = unsafe [(parts.tm_hour, 2), (parts.tm_min, 2), (parts.tm_sec, 2)]
        func joined(_ numbers: [(Int32, Int)], _ separator: String) -> String {
            numbers.map { padded(Int($0), $1) }.joined(separator: separator)
        }
        let owner = unsafe getpwuid(status.st_uid).map { unsafe String(cString: $0.pointee.pw_name) }
        let fraction = padded(min((status.st_mtim.tv_nsec + 500) / 1000, 999_999), 6)
        return (
            "\(joined(day, "-")) \(joined(time, ":")).\(fraction)",
            owner ?? String(status.st_uid)
        )
    }

    /// When the file was written last, in seconds.
    static func modified(_ path: String) -> Int? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status.st_mtim.tv_sec : nil
    }

    static func isWorldWritable(_ path: String) -> Bool { mode(path) & 0o002 != 0 }
    static func isExecutable(_ path: String) -> Bool { kind(path) == .file && mode(path) & 0o111 != 0 }

    static func isAccessible(_ path: String, _ mode: Int32) -> Bool { unsafe access(path, mode) == 0 }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func names(_ folder: String) -> [String] {
        guard let handle = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The content; `nil` when nothing is there.
    static func contents(_ path: String) throws(Diagnostic) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Diagnostic("cannot read '\(path)': \(message(errno))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw Diagnostic("cannot read '\(path)': \(message(errno))") }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    static func message(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

    static var currentFolder: String {
        guard let path = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    /// The path from the root; `.` and `..` are followed by name, links stay.
    static func absolute(_ path: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : currentFolder + "/" + path).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Links and `..` resolved.
    static func realPath(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}

/// The project on disk, with the vault's secrets at hand.
final class DiskFiles: ProjectFiles {
    let vault: VaultOpener
    let folder = Disk.currentFolder
    init(vault: VaultOpener) { self.vault = vault }

    func kind(of path: String) -> ProjectFileKind? { Disk.kind(path) }
    func contents(of path: String) throws(Diagnostic) -> [UInt8]? { try Disk.contents(path) }
    func names(in folder: String) -> [String] { Disk.names(folder) }
    func mode(of path: String) -> Int { Disk.mode(path) }
    func target(of path: String) -> String? { Disk.target(path) }
    func realPath(of path: String) -> String { Disk.realPath(path) ?? Disk.absolute(path) }
    func origin(of path: String) -> (modified: String, owner: String)? { Disk.origin(path) }
    var hasVaultSecrets: Bool { vault.hasSecrets }
    func digest(of contents: [UInt8]) -> String { vault.digest(contents) }

    func opened(_ text: String, path: String) throws(Diagnostic) -> (text: String, isSecret: Bool) {
        guard Vault.isVaulted(text) else { return (text, false) }
        let bytes = try vault.open(Text(text, mark: Mark(place: nil)), what: "'\(path)'")
        return (String(decoding: bytes, as: UTF8.self), true)
    }

    func decrypted(_ text: Text) throws(Diagnostic) -> Text { vault.unsealed(text) }

    /// A file that is vaulted as a whole.
    func opened(_ text: Text) throws(Diagnostic) -> Text {
        let bytes = try vault.open(text, what: "'\(text.place?.file.name ?? "a vaulted file")'")
        return Text(String(decoding: bytes, as: UTF8.self), mark: Mark(place: text.place, isSecret: true))
    }
}
