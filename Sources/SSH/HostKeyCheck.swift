import Values
import Glibc
import Synchronization

/// Decides whether a host is the one that was meant, by a target's policy and its known-hosts files.
struct HostKeyCheck: Sendable {
    private let target: SSHTarget
    private let name: String
    private let files: [String]
    private let entries: [KnownHosts.Entry]
    private let store: KnownHostsStore

    init(target: SSHTarget, store: KnownHostsStore) {
        self.target = target
        self.store = store
        name = KnownHosts.name(host: target.host, port: target.port, alias: target.hostKeyAlias)
        let own = target.knownHostsFiles.isEmpty
            ? ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"] : target.knownHostsFiles
        let global = target.globalKnownHostsFiles ?? ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
        files = (own + global).map(expandingTilde).filter { $0 != "none" }
        entries = target.hostKeyPolicy == .off ? [] : KnownHosts(files: files.map(store.file)).entries(for: name)
    }

    /// The kinds of key to ask the host for: those that are known of it first, so that it shows one we can compare.
    var preferredKinds: [String] {
        let usual = [
            "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512",
            "rsa-sha2-256", "ssh-rsa",
        ]
        let known = Set(entries.filter { $0.marker == .none }.map(\.kind))
        let isKnown = { (kind: String) in known.contains(kind) || kind.hasPrefix("rsa-") && known.contains("ssh-rsa") }
        return usual.filter(isKnown) + usual.filter { !isKnown($0) }
    }

    /// - Returns: what to tell the user, though the host is let through.
    func verify(_ key: PublicKey) throws(SSHError) -> String? {
        if target.hostKeyPolicy == .off {
            return "host key of \(target.endpoint) is not checked (\(key.kind) \(key.fingerprint))"
        }
        let received = "\(key.kind) \(key.fingerprint)"
        switch KnownHosts.verdict(on: key, among: entries) {
        case .known: return nil
        case .revoked(let entry):
            throw .hostKey(
                SSHProblem(
                    "host key of \(target.endpoint) is revoked by \(entry.place)",
                    notes: [
                        "received \(received)", "whoever has this key is not to be trusted: give the host a new one",
                    ]))
        case .authority(let entry):
            throw .hostKey(
                SSHProblem(
                    "host key of \(target.endpoint) would need a certificate of the authority in \(entry.place)",
                    notes: [
                        "received \(received); host certificates are not supported",
                        "add the key itself to a known_hosts file, or use 'connection: openssh'",
                    ]))
        case .changed(let others): throw changed(received, kind: key.kind, others)
        case .unknown: return try unknown(key, received)
        }
    }

    private func changed(_ received: String, kind: String, _ others: [KnownHosts.Entry]) -> SSHError {
        let entry = others[0]
        let expected = entry.publicKey.map { "\($0.kind) \($0.fingerprint)" } ?? "\(entry.kind) (not readable)"
        var notes = ["expected \(expected), received \(received)"]
        if entry.kind == "ssh-rsa", kind != "ssh-rsa", !Library.knowsRSAWithSHA2 {
            notes.append("libssh2 \(Library.version) cannot compare RSA keys: add the \(kind) key to known_hosts")
        }
        let shell = name.hasPrefix("[") ? "'\(name)'" : name
        let isUsual = entry.file == expandingTilde("~/.ssh/known_hosts")
        let file = isUsual ? "" : "-f \(abbreviated(entry.file)) "
        notes.append("if the machine was reinstalled: ssh-keygen \(file)-R \(shell)")
        return .hostKey(
            SSHProblem("host key of \(target.endpoint) does not match \(entry.place)", notes: notes))
    }

    private func unknown(_ key: PublicKey, _ received: String) throws(SSHError) -> String? {
        guard target.hostKeyPolicy == .acceptNew else {
            let port = target.port == 22 ? "" : "-p \(target.port) "
            throw .hostKey(
                SSHProblem(
                    "host key of \(target.endpoint) is not known",
                    notes: [
                        "received \(received)",
                        "looked for '\(name)' in \(files.map(abbreviated).joined(separator: ", "))",
                        "compare the fingerprint, then: ssh-keyscan \(port)\(target.host) >> "
                            + (files.first.map(abbreviated) ?? "~/.ssh/known_hosts"),
                        "or let the first contact decide: StrictHostKeyChecking=accept-new",
                    ]))
        }
        guard let file = files.first else {
            return "host key of \(target.endpoint) is new, and there is no file to keep it"
        }
        do throws(Errno) {
            try store.append("\(name) \(key.line)", to: file)
        } catch {
            throw .hostKey(
                SSHProblem(
                    "host key of \(target.endpoint) is new and cannot be kept in \(abbreviated(file)): \(error.text)",
                    notes: ["received \(received)"]))
        }
        return "host key of \(target.endpoint) added to \(abbreviated(file)) (\(received))"
    }
}

/// The known-hosts files of a run: each is read once, and again when it has changed.
final class KnownHostsStore: Sendable {
    private struct Stamp: Equatable {
        let size: Int
        let seconds: Int
        let nanoseconds: Int
        let inode: UInt
    }

    private let files = Mutex<[String: (stamp: Stamp?, file: KnownHostsFile)]>([:])

    func file(_ path: String) -> KnownHostsFile {
        let stamp = KnownHostsStore.stamp(path)
        return files.withLock { files in
            if let (known, file) = files[path], known == stamp { return file }
            // A file that is missing or unreadable knows nobody.
            let file = KnownHostsFile(path: path, text: (try? contents(of: path).get()) ?? [])
            files[path] = (stamp, file)
            return file
        }
    }

    /// Adds a line at the end of the file, which is made if it is missing, readable by its owner alone.
    func append(_ line: String, to path: String) throws(Errno) {
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { unsafe mkdir(String(path[..<slash]), 0o700) }
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .current }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            if errno != EINTR { throw .current }
        }
        var last: UInt8 = 10
        var info = stat()
        if unsafe fstat(descriptor, &info) == 0, info.st_size > 0 {
            unsafe pread(descriptor, &last, 1, info.st_size - 1)
        }
        // One write, so that other writers, who may not lock, cannot get between.
        let bytes = Array(((last == 10 ? "" : "\n") + line + "\n").utf8)
        let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else {
            let error = count < 0 ? Errno.current : Errno(code: ENOSPC)
            ftruncate(descriptor, info.st_size)
            throw error
        }
    }

    private static func stamp(_ path: String) -> Stamp? {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return nil }
        return Stamp(
            size: info.st_size, seconds: info.st_mtim.tv_sec, nanoseconds: info.st_mtim.tv_nsec, inode: info.st_ino)
    }
}
