import Glibc
import Synchronization
import Values

/// Questions on the terminal, answered without echo where a secret is asked for; the terminal is put back in any case,
/// Ctrl-C included.
enum Prompt {
    /// The signal that came while something was asked.
    private static let interruption = Atomic<Int32>(0)

    /// Without a terminal, a line of standard input answers.
    ///
    /// - Throws: when there is nobody to answer.
    static func ask(_ question: String, echo: Bool) throws(Diagnostic) -> String {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { return try answer(from: 0, question, echo: echo) }
        defer { close(terminal) }
        // Whoever watches for Ctrl-C hears of it when the terminal is in order again.
        interruption.store(0, ordering: .relaxed)
        let handlers = [SIGINT, SIGTERM].map { number in
            (number, signal(number) { Prompt.interruption.store($0, ordering: .relaxed) })
        }
        defer {
            for (number, handler) in handlers { _ = signal(number, handler) }
            let number = interruption.load(ordering: .relaxed)
            if number != 0 { kill(getpid(), number) }
        }
        var before = termios()
        _ = unsafe tcgetattr(terminal, &before)
        if !echo {
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            _ = unsafe tcsetattr(terminal, TCSAFLUSH, &silent)
        }
        defer { if !echo { _ = unsafe tcsetattr(terminal, TCSAFLUSH, &before) } }
        put(question, terminal)
        let answer = line(terminal)
        if !echo { put("\n", terminal) }
        if interruption.load(ordering: .relaxed) != 0 { throw Diagnostic("interrupted") }
        guard let answer else { throw Diagnostic("'\(question.trimmed)' got no answer") }
        return answer
    }

    private static func answer(from input: Int32, _ question: String, echo: Bool) throws(Diagnostic) -> String {
        if isatty(input) == 0, !echo { put("Warning: Password input may be echoed.\n", 2) }
        put(question, 2)
        let answer = line(input)
        if !echo || answer == nil { put("\n", 2) }
        guard let answer else {
            throw Diagnostic(
                "'\(question.trimmed)' is to be asked, and there is no terminal",
                notes: ["give the answer in a file or a variable"])
        }
        return answer
    }

    static func secret(_ question: String) throws(Diagnostic) -> Secret { Secret(try ask(question, echo: false)) }

    private static func put(_ text: String, _ terminal: Int32) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(terminal, $0.baseAddress, bytes.count) }
    }

    /// Byte by byte: what comes behind the line is another question's.
    private static func line(_ input: Int32) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            // A signal may be given to another thread, so that it wakes nobody here.
            var waited = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            let isReady = unsafe poll(&waited, 1, 100) > 0
            if interruption.load(ordering: .relaxed) != 0 { return nil }
            guard isReady else { continue }
            let count = unsafe read(input, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
    }
}
