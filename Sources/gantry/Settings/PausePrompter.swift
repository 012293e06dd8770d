import Controller
import Glibc
import Values

/// Answers `pause` from the terminal, key by key: Ctrl-C asks whether to go on or to give up.
struct TerminalPrompter: Prompter {
    private static let interrupt: UInt8 = 3
    private static let returns: Set<UInt8> = [10, 13]
    private static let continues: Set<UInt8> = Set("cC".utf8)
    private static let aborts: Set<UInt8> = Set("aA".utf8)

    func pause(_ prompt: String, seconds: Double?, echo: Bool) async -> (input: String, isInterrupted: Bool) {
        guard isInteractive else {
            if let seconds {
                Output.print(prompt.split(separator: "\n").first.map(String.init) ?? prompt)
                try? await Task.sleep(for: .seconds(seconds))
            } else {
                let text = "Not waiting for response to prompt as stdin is not interactive"
                Output.printError(Diagnostic(text, severity: .warning).shown)
            }
            return ("", Task.isCancelled)
        }
        let deadline = seconds.map { ContinuousClock.now.advanced(by: .seconds($0)) }
        // With a limit what is typed does not count: only Ctrl-C does.
        let (input, ending) = await keys(
            prompt, until: deadline, echo: echo && seconds == nil, ending: seconds == nil ? Self.returns : [],
            interrupting: [Self.interrupt])
        guard ending == .interrupted else { return (seconds == nil ? input : "", false) }
        let question = "Press 'C' to continue the play or 'A' to abort \r"
        let (_, decision) = await keys(
            question, until: nil, echo: false, ending: Self.continues, interrupting: Self.aborts)
        return ("", decision == .interrupted)
    }

    func line(
        _ prompt: String, showing text: String, until isOver: @Sendable () -> Bool
    ) async -> (line: String?, isInterrupted: Bool) {
        show(text)
        show((isatty(1) == 1 ? "\r\u{1b}[K" : "") + prompt)
        var typed: [UInt8] = []
        while !isOver(), !Task.isCancelled {
            var waited = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waited, 1, 0) > 0 else {
                try? await Task.sleep(for: .milliseconds(20))
                continue
            }
            // Byte by byte: what comes behind the line is another question's.
            var byte: UInt8 = 0
            let count = unsafe read(0, &byte, 1)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            if count <= 0 { return (typed.isEmpty ? nil : Self.text(typed), false) }
            if byte == UInt8(ascii: "\n") { return (Self.text(typed), false) }
            typed.append(byte)
        }
        return (nil, true)
    }

    func show(_ text: String) { Output.put(text, 1) }

    /// A terminal whose foreground we are.
    private var isInteractive: Bool { isatty(0) == 1 && getpgrp() == tcgetpgrp(0) }

    private enum Ending { case given, interrupted, timedOut }

    /// Shows the prompt and reads keys without the terminal's own handling of them.
    private func keys(
        _ prompt: String, until deadline: ContinuousClock.Instant?, echo: Bool, ending: Set<UInt8>,
        interrupting: Set<UInt8>
    ) async -> (String, Ending) {
        // What runs is told on a line of its own, which goes.
        Output.put((isatty(1) == 1 ? "\r\u{1b}[K" : "") + prompt + "\n", 1)
        var before = termios()
        _ = unsafe tcgetattr(0, &before)
        var raw = before
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        raw.c_iflag &= ~tcflag_t(ICRNL)
        _ = unsafe tcsetattr(0, TCSAFLUSH, &raw)
        defer { _ = unsafe tcsetattr(0, TCSADRAIN, &before) }
        var typed: [UInt8] = []
        while deadline.map({ ContinuousClock.now < $0 }) ?? true {
            guard let key = Self.key() else {
                // Nobody may be kept from going on by one who thinks.
                try? await Task.sleep(for: .milliseconds(20))
                if Task.isCancelled { return ("", .interrupted) }
                continue
            }
            if interrupting.contains(key) { return (Self.text(typed), .interrupted) }
            if ending.contains(key) {
                if echo { Output.put("\n", 1) }
                return (Self.text(typed), .given)
            }
            if key == 127 || key == 8 {
                if !typed.isEmpty, echo { Output.put("\u{8} \u{8}", 1) }
                while let last = typed.popLast(), last & 0xc0 == 0x80 {}
            } else {
                typed.append(key)
                if echo { Output.put([key], 1) }
            }
        }
        return (Self.text(typed), .timedOut)
    }

    private static func key() -> UInt8? {
        var waited = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waited, 1, 0) > 0 else { return nil }
        var byte: UInt8 = 0
        return unsafe read(0, &byte, 1) == 1 ? byte : nil
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
