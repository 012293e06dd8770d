import Glibc
import Values

/// A program that takes over the terminal for a while: an editor, a pager.
enum ForegroundProgram {
    /// - Parameter input: what it reads on its standard input; `nil` leaves it ours.
    /// - Returns: its exit status; 128 and the number where a signal ended it.
    /// - Throws: when it cannot be started.
    static func run(
        _ arguments: [String], input: [UInt8]? = nil, environment: [String: String] = [:]
    ) throws(Diagnostic) -> Int32 {
        var ends: [Int32] = [-1, -1]
        if input != nil, unsafe pipe(&ends) != 0 {
            throw Diagnostic("cannot start '\(arguments.first ?? "")': \(Disk.message(errno))")
        }
        for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // The terminal's signals are the program's; what we have to tidy up we do when it has ended.
        let before = [SIGINT, SIGQUIT].map { signal($0, SIG_IGN) }
        defer { for (number, handler) in zip([SIGINT, SIGQUIT], before) { _ = signal(number, handler) } }
        var process: pid_t = 0
        let code = spawn(arguments, input: ends[0], environment, &process)
        if ends[0] >= 0 { close(ends[0]) }
        guard code == 0 else {
            if ends[1] >= 0 { close(ends[1]) }
            let line = arguments.joined(separator: " ")
            throw Diagnostic("Unable to execute the command \"\(line)\": \(Disk.message(code))")
        }
        if let input {
            // A pager that was left early closes its end: that is no error.
            _ = signal(SIGPIPE, SIG_IGN)
            var position = 0
            while position < input.count {
                let count = unsafe input.withUnsafeBytes { buffer in
                    unsafe write(ends[1], buffer.baseAddress.map { unsafe $0 + position }, input.count - position)
                }
                if count > 0 { position += count } else if errno != EINTR { break }
            }
            close(ends[1])
        }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    private static func spawn(
        _ arguments: [String], input: Int32, _ environment: [String: String], _ process: inout pid_t
    ) -> Int32 {
        guard let program = arguments.first else { return ENOENT }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if input >= 0 { unsafe posix_spawn_file_actions_adddup2(&actions, input, 0) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        for number in [SIGPIPE, SIGINT, SIGQUIT] { unsafe sigaddset(&defaults, number) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { (text: String) in unsafe strdup(text) }
        let all = Configuration.processEnvironment().merging(environment) { $1 }
        var settings: [UnsafeMutablePointer<CChar>?] = unsafe all.map { entry in
            unsafe strdup("\(entry.key)=\(entry.value)")
        }
        defer {
            for unsafe word in unsafe words { unsafe free(word) }
            for unsafe setting in unsafe settings { unsafe free(setting) }
        }
        unsafe words.append(nil)
        unsafe settings.append(nil)
        return unsafe posix_spawnp(&process, program, &actions, &attributes, words, settings)
    }
}

/// Long texts: page by page on a terminal, as they are elsewhere.
enum Pager {
    static func show(_ text: String, _ configuration: Configuration) {
        guard isatty(1) == 1 else {
            Output.put(text.hasSuffix("\n") ? text : text + "\n", 1)
            return
        }
        let program = configuration.string(.pager)
        let environment = configuration.environment["LESS"] == nil ? ["LESS": "FRSX"] : [:]
        let status = try? ForegroundProgram.run(
            ["/bin/sh", "-c", program], input: Array(text.utf8), environment: environment)
        if status == nil || status == 127 { Output.put(text.hasSuffix("\n") ? text : text + "\n", 1) }
    }
}
