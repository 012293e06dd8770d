import Glibc
import Values

/// A process that was just started, and our ends of its pipes, which never block.
struct Child {
    let process: pid_t
    let input: Int32
    let output: Int32
    let errors: Int32

    /// - Parameter arguments: the program, looked for in `PATH`, and its arguments.
    init(_ arguments: [String]) throws(LinkError) {
        // A process that has gone must be an error of `write`, not the end of us.
        _ = signal(SIGPIPE, SIG_IGN)
        let program = arguments.first ?? ""
        var pipes: [[Int32]] = []
        for _ in 0..<3 {
            // Sockets, because a pipe cannot be made `CLOEXEC` in one step from here; another thread may be spawning.
            var ends: [Int32] = [-1, -1]
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
                for end in pipes.joined() { close(end) }
                throw LinkError("cannot start '\(program)': \(systemText(errno))")
            }
            pipes.append(ends)
        }
        let theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        let ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        defer { for end in theirs { close(end) } }
        for end in ours { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        var process: pid_t = 0
        let code = Self.spawn(arguments, theirs, &process)
        guard code == 0 else {
            for end in ours { close(end) }
            throw LinkError("cannot start '\(program)': \(systemText(code))")
        }
        self.process = process
        (input, output, errors) = (ours[0], ours[1], ours[2])
    }

    private static func spawn(_ arguments: [String], _ ends: [Int32], _ process: inout pid_t) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (target, end) in ends.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, end, Int32(target))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // The child gets back the signal that we ignore.
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { (text: String) in unsafe strdup(text) }
        defer { for unsafe word in unsafe words { unsafe free(word) } }
        unsafe words.append(nil)
        guard let program = arguments.first else { return ENOENT }
        return unsafe posix_spawnp(&process, program, &actions, &attributes, words, environ)
    }
}
