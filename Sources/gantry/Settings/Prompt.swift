import Glibc
import Synchronization
import Values

/// Questions on the terminal, answered without echo where a secret is asked for; the terminal is put back in any case,
/// Ctrl-C included.
enum Prompt {
    /// The signal that came while something was asked.
    private static let interruption = Atomic<Int32>(0)

    /// - Throws: when there is no terminal to ask on.
    static func ask(_ question: String, echo: Bool) throws(Diagnostic) -> String {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw Diagnostic(
                "'\(question.trimmingBlanks)' is to be asked, and there is no terminal",
                notes: ["give the answer in a file or a variable"])
        }
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
        guard let answer else { throw Diagnostic("interrupted") }
        return answer
    }

    static func secret(_ question: String) throws(Diagnostic) -> Secret { Secret(try ask(question, echo: false)) }

    private static func put(_ text: String, _ terminal: Int32) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(terminal, $0.baseAddress, bytes.count) }
    }

    /// `nil` when a signal came first.
    private static func line(_ terminal: Int32) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            // A signal may be given to another thread, so that it wakes nobody here.
            var waited = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
            let isReady = unsafe poll(&waited, 1, 100) > 0
            if interruption.load(ordering: .relaxed) != 0 { return nil }
            guard isReady else { continue }
            guard unsafe read(terminal, &byte, 1) == 1, byte != UInt8(ascii: "\n") else {
                return String(decoding: bytes, as: UTF8.self)
            }
            bytes.append(byte)
        }
    }
}
