import Glibc

/// A proxy command: its standard input and output are one socket, whose other end we have.
struct ProxyProcess {
    let descriptor: Int32
    let process: pid_t

    /// Starts the command by `/bin/sh`, in a process group of its own.
    static func start(_ command: String) -> Result<ProxyProcess, Errno> {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return .failure(.current) }
        defer { close(ends[1]) }
        guard fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
            defer { close(ends[0]) }
            return .failure(.current)
        }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // This thread blocks signals, and the program ignores some: the command must not inherit either.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let texts = ["/bin/sh", "-c", "exec " + command]
        var words: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { (text: String) in unsafe strdup(text) }
        defer { for unsafe word in unsafe words { unsafe free(word) } }
        unsafe words.append(nil)
        var process: pid_t = 0
        let code = unsafe posix_spawn(&process, "/bin/sh", &actions, &attributes, words, environ)
        guard code == 0 else {
            close(ends[0])
            return .failure(Errno(code: code))
        }
        return .success(ProxyProcess(descriptor: ends[0], process: process))
    }
}
