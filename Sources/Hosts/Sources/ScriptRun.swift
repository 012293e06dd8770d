import Values
import Glibc

/// A program that ran to its end, with what it wrote.
struct ScriptRun {
    /// `nil` where it is not UTF-8.
    let output: String?
    let errors: String
    /// The exit status, or 128 plus the signal.
    let status: Int32

    /// Runs the program with the environment and the standard input of this one.
    ///
    /// - Returns: `nil` when it cannot be started; `errno` says why.
    init?(_ path: String, _ arguments: [String]) {
        guard let output = Pipe(), let errors = Pipe() else { return nil }
        var actions = unsafe posix_spawn_file_actions_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.write, 2)
        var words: [UnsafeMutablePointer<CChar>?] = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var process: pid_t = 0
        let code = unsafe posix_spawn(&process, path, &actions, nil, &words, environ)
        output.closeWrite()
        errors.closeWrite()
        guard code == 0 else {
            errno = code
            return nil
        }
        let (text, said) = Self.drain(output.read, errors.read)
        var state: Int32 = 0
        while unsafe waitpid(process, &state, 0) < 0, errno == EINTR {}
        self.output = String(validating: text, as: UTF8.self)
        self.errors = String(decoding: said, as: UTF8.self)
        status = state & 0x7f == 0 ? (state >> 8) & 0xff : 128 + (state & 0x7f)
    }

    /// Reads both to their ends together, so that neither can block the program.
    private static func drain(_ first: Int32, _ second: Int32) -> ([UInt8], [UInt8]) {
        var texts: [[UInt8]] = [[], []]
        var polled = [first, second].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while polled.contains(where: { $0.fd >= 0 }) {
            guard unsafe poll(&polled, 2, -1) >= 0 || errno == EINTR else { break }
            for index in 0..<2 where polled[index].fd >= 0 && polled[index].revents != 0 {
                let count = unsafe read(polled[index].fd, &buffer, buffer.count)
                if count > 0 { texts[index] += buffer.prefix(count) }
                if count == 0 || (count < 0 && errno != EINTR) { polled[index].fd = -1 }
            }
        }
        return (texts[0], texts[1])
    }
}

/// Two ends of a pipe, closed with it.
private final class Pipe {
    let read: Int32
    private(set) var write: Int32

    init?() {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        read = ends[0]
        write = ends[1]
    }

    func closeWrite() {
        if write >= 0 { close(write) }
        write = -1
    }

    deinit {
        close(read)
        closeWrite()
    }
}
