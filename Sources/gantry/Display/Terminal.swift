import Values
import Glibc

/// Colours by the names that Ansible's configuration gives them.
enum Colour: String {
    case ok = "0;32"
    case changed = "0;33"
    case skipped = "0;36"
    case failed = "0;31"
    case unreachable = "1;31"
    case warning = "1;35"
    case verbose = "0;34"
    case debug = "0;90"
}

/// Standard output and error as a person sees them: whole lines, coloured on a terminal, with one live line below.
///
/// Used under the display's lock only.
final class Terminal {
    let isInteractive: Bool
    let usesColour: Bool
    private var liveLine = ""
    private var log: Int32 = -1

    /// - Parameter environment: `NO_COLOR`, `ANSIBLE_NOCOLOR` and `ANSIBLE_FORCE_COLOR` are looked at.
    init(environment: [String: String], forcesColour: Bool = false, noColour: Bool = false) {
        isInteractive = isatty(1) == 1 && environment["TERM"] != "dumb"
        let forced = forcesColour || Self.isOn(environment["ANSIBLE_FORCE_COLOR"])
        let refused = noColour || environment["NO_COLOR"].map { !$0.isEmpty } ?? false
            || Self.isOn(environment["ANSIBLE_NOCOLOR"])
        usesColour = forced || (!refused && isInteractive)
    }

    private static func isOn(_ value: String?) -> Bool {
        ["1", "true", "yes", "on"].contains(value?.lowercased() ?? "")
    }

    /// Columns for banners: 79 where there is no terminal, as Ansible has it.
    var columns: Int {
        guard isInteractive else { return 79 }
        var size = winsize()
        let known = unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return max(79, known ? Int(size.ws_col) - 1 : 79)
    }

    func coloured(_ text: String, _ colour: Colour?) -> String {
        guard usesColour, let colour else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "\u{1b}[\(colour.rawValue)m\($0)\u{1b}[0m" }.joined(separator: "\n")
    }

    /// Also writes plain lines to a file (`log_path`).
    func logs(to path: String) { log = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }

    func line(_ text: String, _ colour: Colour? = nil, toErrors: Bool = false) {
        clearLive()
        write(coloured(text, colour) + "\n", to: toErrors ? 2 : 1)
        if log >= 0 { write(text + "\n", to: log) }
        drawLive()
    }

    /// The line at the bottom that says what runs; empty removes it.
    func show(live text: String) {
        guard isInteractive, text != liveLine else { return }
        clearLive()
        liveLine = text
        drawLive()
    }

    private func clearLive() { if !liveLine.isEmpty { write("\r\u{1b}[K", to: 1) } }
    private func drawLive() {
        if !liveLine.isEmpty { write("\u{1b}[2m" + liveLine.prefix(columns) + "\u{1b}[0m", to: 1) }
    }

    private func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + position }, bytes.count - position)
            }
            if count > 0 { position += count } else if count < 0, errno != EINTR, errno != EAGAIN { return }
        }
    }
}
