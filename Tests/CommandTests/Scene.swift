import Glibc

/// Where a case is played: a scratch folder with its files, a home of its own, ports, and an `sshd` if asked for.
///
/// What differs from run to run has a name, in the case's files and commands as in what they print:
/// `@PORT@` sshd's port, `@CLOSED@` a port where nobody listens, `@SILENT@` one that takes connections and says
/// nothing, `@USER@` who runs the tests, `@FOLDER@` the scratch folder, `@ROOT@` the repository,
/// `@PRINT@` a key's fingerprint.
final class Scene {
    private let folder: String
    private let program: String
    private var names: [(name: String, value: String)] = []
    private var server: pid_t?
    private var silent: Int32 = -1

    init(_ transcript: Transcript, program: String) throws {
        self.program = program
        folder = try scratchFolder()
        let (listening, silentPort) = listener()
        silent = listening
        let ports = [freePort(), freePort()]
        let user = unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "root"
        names = [
            ("@PORT@", "\(ports[0])"), ("@CLOSED@", "\(ports[1])"), ("@SILENT@", "\(silentPort)"), ("@USER@", user),
            ("@FOLDER@", folder), ("@ROOT@", folderName(folderName(folderName(#filePath)))),
        ]
        _ = unsafe mkdir(folder + "/home", 0o700)
        for file in transcript.files { try place(file.name, file.text) }
        if transcript.needs.contains("sshd") { try startServer(port: ports[0]) }
    }

    deinit {
        if let server {
            kill(server, SIGKILL)
            waitpid(server, nil, 0)
        }
        close(silent)
        _ = try? Scene.shell("rm -rf '\(folder)'", in: "/")
    }

    /// Why a case cannot be played here.
    static func obstacle(_ transcript: Transcript) -> String? {
        if transcript.needs.contains("sshd"), sshd == nil { return "there is no sshd" }
        if transcript.needs.contains("namespace"), (try? shell("unshare -rn ip link", in: "/").status) != 0 {
            return "this machine gives no network namespaces"
        }
        if transcript.needs.contains("python"), (try? shell("python3 -c ''", in: "/").status) != 0 {
            return "there is no python3"
        }
        return nil
    }

    func play(_ line: String) throws -> Transcript.Command {
        let (status, output, errors) = try Scene.shell(
            filled(line), in: folder, home: folder + "/home", programs: folderName(program))
        return Transcript.Command(line: line, output: stable(output), errors: stable(errors), status: status)
    }

    private func filled(_ text: String) -> String {
        names.reduce(text) { replaced($0, $1.name, $1.value) }
    }

    private func stable(_ text: String) -> String {
        var out = names.reversed().reduce(text) { text, entry in
            entry.name == "@USER@" ? text : replaced(text, entry.value, entry.name)
        }
        // Fingerprints are 43 characters of base64.
        let parts = out.split(separator: "SHA256:", omittingEmptySubsequences: false)
        if parts.count > 1 {
            out = parts[0] + parts.dropFirst().map { "SHA256:@PRINT@" + $0.dropFirst(43) }.joined()
        }
        return out
    }

    private func place(_ name: String, _ text: String) throws {
        let path = "\(folder)/\(name)"
        var made = folder
        for part in name.split(separator: "/").dropLast() {
            made += "/\(part)"
            _ = unsafe mkdir(made, 0o755)
        }
        try write(filled(text), to: path)
    }

    // MARK: sshd

    private static let sshd = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].first { (path: String) in
        unsafe access(path, X_OK) == 0
    }

    /// An sshd of the present user on 127.0.0.1. `ssh/user` may log in, `ssh/locked` too, with the passphrase
    /// `sesame`; `ssh/stranger` may not; `ssh/known_hosts` knows the host, `ssh/changed` holds another key for it.
    private func startServer(port: Int) throws {
        try Scene.shell(
            """
            mkdir ssh && cd ssh && chmod 700 . &&
            for key in host other user stranger; do ssh-keygen -q -t ed25519 -N '' -C test -f $key; done &&
            ssh-keygen -q -t ed25519 -N sesame -C test -f locked && cat user.pub locked.pub >authorized_keys &&
            echo "[127.0.0.1]:\(port) $(cat host.pub)" >known_hosts &&
            echo "[127.0.0.1]:\(port) $(cat other.pub)" >changed
            """, in: folder)
        try write(
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(folder)/ssh/host
            AuthorizedKeysFile \(folder)/ssh/authorized_keys
            PidFile none
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin yes

            """, to: folder + "/ssh/sshd_config")
        // As root sshd wants this folder, which otherwise its unit makes.
        if geteuid() == 0 { _ = unsafe mkdir("/run/sshd", 0o755) }
        server = try spawn(
            [Scene.sshd ?? "sshd", "-D", "-e", "-f", folder + "/ssh/sshd_config"], output: folder + "/ssh/log",
            errors: folder + "/ssh/log")
        for _ in 0..<1000 where !isListening(port) { usleep(10_000) }
    }
}

// MARK: Processes

extension Scene {
    /// A line of shell without terminal and input, bounded to a minute.
    @discardableResult
    static func shell(
        _ line: String, in folder: String, home: String = "/nonexistent", programs: String = "/bin"
    ) throws -> (status: Int32, output: String, errors: String) {
        let logs = try scratchFolder()
        defer {
            for name in ["out", "err"] { unsafe unlink("\(logs)/\(name)") }
            _ = unsafe rmdir(logs)
        }
        let environment = [
            "env", "-i", "PATH=\(programs):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=\(home)", "LC_ALL=C.UTF-8", "TERM=dumb",
        ]
        let process = try spawn(
            environment + ["timeout", "60", "/bin/sh", "-c", "cd '\(folder)' || exit 99\n" + line],
            output: logs + "/out", errors: logs + "/err")
        var status: Int32 = 0
        unsafe waitpid(process, &status, 0)
        let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        return (code, try read(logs + "/out"), try read(logs + "/err"))
    }
}

struct SceneFailure: Error, CustomStringConvertible { let description: String }

func spawn(_ arguments: [String], output: String, errors: String) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    // The threads that run tests block signals; what they start must not. A session of its own has no terminal.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80)
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { (text: String) in unsafe strdup(text) }
    defer { for unsafe word in unsafe words { unsafe free(word) } }
    unsafe words.append(nil)
    var process: pid_t = 0
    let code = unsafe posix_spawnp(&process, arguments[0], &actions, &attributes, words, environ)
    guard code == 0 else { throw SceneFailure(description: "cannot start \(arguments[0]): \(code)") }
    return process
}

// MARK: Files and ports

func scratchFolder() throws -> String {
    var name = Array("/tmp/gantry-case-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&name) != nil else { throw SceneFailure(description: "mkdtemp: \(errno)") }
    return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func write(_ text: String, to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
        throw SceneFailure(description: "cannot write \(path)")
    }
}

func read(_ path: String) throws -> String {
    guard let file = unsafe fopen(path, "r") else { throw SceneFailure(description: "cannot read \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = unsafe fgetc(file), byte >= 0 { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self)
}

func folderName(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return String(path[..<slash])
}

func replaced(_ text: String, _ old: String, _ new: String) -> String {
    text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
}

func freePort() -> Int {
    let (file, port) = listener()
    close(file)
    return port
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

/// Listens on a free port of 127.0.0.1 without ever accepting.
func listener() -> (file: Int32, port: Int) {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            _ = unsafe bind(file, pointer, length)
            _ = unsafe getsockname(file, pointer, &length)
        }
    }
    listen(file, 8)
    return (file, Int(UInt16(bigEndian: address.sin_port)))
}

private func isListening(_ port: Int) -> Bool {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = loopback(port)
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            unsafe connect(file, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
