import Glibc
import Values

/// Questions on the terminal, answered without echo where a secret is asked for; the terminal is put back in any case.
enum Prompt {
    /// - Throws: when there is no terminal to ask on.
    static func ask(_ question: String, echo: Bool) throws(Diagnostic) -> String {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw Diagnostic(
                "'\(question.trimmingBlanks)' is to be asked, and there is no terminal",
                notes: ["give the answer in a file or a variable"])
        }
        defer { close(terminal) }
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
        return answer
    }

    static func secret(_ question: String) throws(Diagnostic) -> Secret { Secret(try ask(question, echo: false)) }

    private static func put(_ text: String, _ terminal: Int32) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(terminal, $0.baseAddress, bytes.count) }
    }

    private static func line(_ terminal: Int32) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(terminal, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
