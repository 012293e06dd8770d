import Glibc
import SSH

/// An `sshd` of our own on 127.0.0.1: its keys, its configuration, its port, run as the present user; gone with the
/// object.
final class PrivateServer: Sendable {
    /// Where sshd is: `GANTRY_TEST_SSHD`, or the usual place; `nil` skips the tests.
    static let program: String? = {
        let candidates = [unsafe getenv("GANTRY_TEST_SSHD").map { unsafe String(cString: $0) }, "/usr/sbin/sshd"]
        return candidates.compactMap { $0 }.first { unsafe access($0, X_OK) == 0 }
    }()

    let folder: String
    let port: Int
    let process: pid_t
    let user: String

    var userKey: String { folder + "/user" }
    var knownHosts: String { folder + "/known_hosts" }

    init(options: [String] = [], hostKeyKinds: [String] = ["ed25519"], userKeyKind: String = "ed25519") throws {
        let folder = try scratchFolder()
        let port = freePort()
        self.folder = folder
        self.port = port
        user = unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "root"
        for kind in hostKeyKinds { try makeKey("\(folder)/host_\(kind)", kind: kind) }
        try makeKey(folder + "/user", kind: userKeyKind)
        try write(try read(folder + "/user.pub"), to: folder + "/authorized_keys")
        let configuration =
            ["Port \(port)", "ListenAddress 127.0.0.1", "PidFile none", "StrictModes no", "UsePAM no",
                "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes",
                "MaxStartups 2000:1:2000", "PerSourceMaxStartups none", "MaxSessions 50", "AcceptEnv GANTRY_*",
                "AuthorizedKeysFile \(folder)/authorized_keys"]
            + hostKeyKinds.map { "HostKey \(folder)/host_\($0)" }
        try write((options + configuration).joined(separator: "\n") + "\n", to: folder + "/sshd_config")
        let arguments = [PrivateServer.program ?? "sshd", "-D", "-e", "-f", folder + "/sshd_config"]
        // As root sshd wants this folder, which otherwise its unit makes.
        if geteuid() == 0 { _ = unsafe mkdir("/run/sshd", 0o755) }
        process = try spawn(arguments, log: folder + "/log")
        try trust(kinds: hostKeyKinds)
        try waitUntil { isListening(port) }
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        _ = try? run(["rm", "-rf", folder])
    }

    /// Ends the listening process and every session it started.
    func killSessions() throws {
        let children = try run(["/bin/sh", "-c", "ps -o pid= --ppid \(process)"]).output
        for child in children.split(whereSeparator: \.isWhitespace).compactMap({ pid_t($0) }) { kill(child, SIGKILL) }
    }

    /// Writes the host's keys into the known-hosts file.
    func trust(kinds: [String]) throws {
        let lines = try kinds.map { "[127.0.0.1]:\(port) " + (try read("\(folder)/host_\($0).pub")) }
        try write(lines.joined(), to: knownHosts)
    }

    var target: SSHTarget {
        var target = SSHTarget(host: "127.0.0.1", port: port, user: user)
        target.identities = [.file(userKey)]
        target.useAgent = false
        target.knownHostsFiles = [knownHosts]
        target.globalKnownHostsFiles = []
        return target
    }
}

struct TestFailure: Error, CustomStringConvertible { let description: String }

func scratchFolder() throws -> String {
    var name = Array("/tmp/gantry-ssh-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&name) != nil else { throw TestFailure(description: "mkdtemp: \(errno)") }
    return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func makeKey(_ path: String, kind: String, passphrase: String = "") throws {
    _ = try run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test \(kind)", "-f", path])
}

func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
        throw TestFailure(description: "cannot write \(path)")
    }
}

func read(_ path: String) throws -> String {
    guard let file = unsafe fopen(path, "r") else { throw TestFailure(description: "cannot read \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = unsafe fgetc(file), byte >= 0 { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self)
}

func spawn(_ arguments: [String], log: String) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { (text: String) in unsafe strdup(text) }
    defer { for unsafe word in unsafe words { unsafe free(word) } }
    unsafe words.append(nil)
    // The threads that run tests block signals; what they start must not.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var process: pid_t = 0
    let code = unsafe posix_spawnp(&process, arguments[0], &actions, &attributes, words, environ)
    guard code == 0 else { throw TestFailure(description: "cannot start \(arguments[0]): \(code)") }
    return process
}

/// Runs a program to its end.
@discardableResult
func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let log = try scratchFolder() + "/log"
    let process = try spawn(arguments, log: log)
    var status: Int32 = 0
    unsafe waitpid(process, &status, 0)
    defer {
        unsafe unlink(log)
        unsafe rmdir(String(log.dropLast(4)))
    }
    return (status, try read(log))
}

func freePort() -> Int { withListener { $0 } }

/// Listens on a free port of 127.0.0.1 while `body` runs, without ever accepting.
func withListener<Value>(_ body: (Int) throws -> Value) rethrows -> Value {
    let (file, port) = listener()
    defer { close(file) }
    return try body(port)
}

func listener() -> (file: Int32, port: Int) {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            _ = unsafe bind(file, pointer, length)
            _ = unsafe getsockname(file, pointer, &length)
        }
    }
    listen(file, 1)
    return (file, Int(UInt16(bigEndian: address.sin_port)))
}

private func isListening(_ port: Int) -> Bool {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            unsafe connect(file, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// Polls a condition for at most ten seconds.
func waitUntil(_ condition: () throws -> Bool) throws {
    for _ in 0..<1000 {
        if try condition() { return }
        usleep(10_000)
    }
    throw TestFailure(description: "waited ten seconds in vain")
}
