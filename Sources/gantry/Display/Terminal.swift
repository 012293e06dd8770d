import Glibc
import Values

/// What a colour is for; which one it is, settings say.
enum Colour: CaseIterable {
    case ok, changed, skipped, included, failed, unreachable, warning, deprecated, verbose, debug
    case added, removed, hunk, prompt

    var setting: Setting {
        switch self {
        case .ok: .colourOK
        case .changed: .colourChanged
        case .skipped: .colourSkipped
        case .included: .colourIncluded
        case .failed: .colourError
        case .unreachable: .colourUnreachable
        case .warning: .colourWarning
        case .deprecated: .colourDeprecated
        case .verbose: .colourVerbose
        case .debug: .colourDebug
        case .added: .colourAdded
        case .removed: .colourRemoved
        case .hunk: .colourHunk
        case .prompt: .colourPrompt
        }
    }
}

/// The terminal's codes of the colours.
struct Palette: Sendable {
    private var codes: [Colour: String] = [:]

    init(_ configuration: Configuration) {
        for colour in Colour.allCases { codes[colour] = Self.code(of: configuration.string(colour.setting)) }
    }

    func code(_ colour: Colour) -> String? { codes[colour] }

    private static let named = [
        "black": "0;30", "bright gray": "0;37", "blue": "0;34", "white": "1;37", "green": "0;32",
        "bright blue": "1;34", "cyan": "0;36", "bright green": "1;32", "red": "0;31", "bright cyan": "1;36",
        "purple": "0;35", "bright red": "1;31", "yellow": "0;33", "bright purple": "1;35", "dark gray": "1;30",
        "bright yellow": "1;33", "magenta": "0;35", "bright magenta": "1;35", "normal": "0",
    ]

    /// A name, `colorN`, `rgbRGB` with digits up to 5, or `grayN`.
    static func code(of name: String) -> String? {
        let digits = name.drop { $0.isLetter }
        switch name.prefix(while: \.isLetter) {
        case "color": return Int(digits).map { "38;5;\($0)" }
        case "gray": return Int(digits).map { "38;5;\(232 + $0)" }
        case "rgb":
            let parts = digits.compactMap(\.wholeNumberValue)
            return parts.count == 3 ? "38;5;\(16 + 36 * parts[0] + 6 * parts[1] + parts[2])" : nil
        default: return named[name]
        }
    }
}

/// Standard output and error as a person sees them: whole lines, coloured on a terminal, with one live line below.
///
/// Used by one callback at a time, under their lock.
final class Terminal {
    let isInteractive: Bool
    let usesColour: Bool
    private let palette: Palette
    private var liveLine = ""
    private var log: LogFile?
    /// What more words add goes to standard error.
    private let verboseToErrors: Bool

    init(_ configuration: Configuration) {
        isInteractive = isatty(1) == 1 && configuration.environment["TERM"] != "dumb"
        let refused = configuration.flag(.noColour) || !(configuration.environment["NO_COLOR"] ?? "").isEmpty
        usesColour = configuration.flag(.forceColour) || (!refused && isInteractive)
        palette = Palette(configuration)
        verboseToErrors = configuration.flag(.verboseToErrors)
        if let path = configuration.file(.logPath) {
            log = LogFile(path)
            if log == nil {
                let text = "log file at '\(path)' is not writeable and we cannot create it, aborting"
                line("[WARNING]: \(text)", .warning, toErrors: true)
            }
        }
    }

    /// Columns for banners: 79 where there is no terminal, as Ansible has it.
    var columns: Int {
        guard isInteractive else { return 79 }
        var size = winsize()
        let known = unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return max(79, known ? Int(size.ws_col) - 1 : 79)
    }

    func coloured(_ text: String, _ colour: Colour?) -> String {
        guard usesColour, let colour, let code = palette.code(colour) else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "\u{1b}[\(code)m\($0)\u{1b}[0m" }.joined(separator: "\n")
    }

    /// One line, or several. A line end that is there already counts.
    ///
    /// - Parameter logged: what the log gets instead; empty is nothing.
    func line(_ text: String, _ colour: Colour? = nil, toErrors: Bool = false, logged: String? = nil) {
        clearLive()
        let body = text.hasSuffix("\n") ? String(text.dropLast()) : text
        let toErrors = toErrors || (verboseToErrors && colour == .verbose)
        write(coloured(body, colour) + "\n", to: toErrors ? 2 : 1)
        note(logged ?? text, colour)
        drawLive()
    }

    /// For the log alone.
    func note(_ text: String, _ colour: Colour? = nil) {
        if !text.isEmpty { log?.write(text, level(colour)) }
    }

    private func level(_ colour: Colour?) -> String {
        switch colour {
        case .warning: "WARNING"
        case .failed: "ERROR"
        case .debug: "DEBUG"
        default: "INFO"
        }
    }

    /// A header with stars up to the end of the line.
    func banner(_ message: String) {
        let message = message.trimmed
        let stars = max(3, columns - textWidth(message))
        line("\n\(message) \(String(repeating: "*", count: stars))")
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

    private func write(_ text: String, to descriptor: Int32) { Output.put(text, descriptor) }
}

/// The file that `log_path` names, in the form of Python's logging.
private struct LogFile {
    private let descriptor: Int32
    private let user: String

    init?(_ path: String) {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return nil }
        let environment = Configuration.processEnvironment()
        let names = ["LOGNAME", "USER", "LNAME", "USERNAME"].lazy.compactMap { environment[$0] }
        user = names.first { !$0.isEmpty } ?? (geteuid() == 0 ? "root" : "\(geteuid())")
    }

    func write(_ text: String, _ level: String) {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        _ = unsafe localtime_r(&now.tv_sec, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        let second = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let milli = String(now.tv_nsec / 1_000_000)
        let stamp = "\(second),\(String(repeating: "0", count: 3 - milli.count))\(milli)"
        let body = text.drop { $0 == "\n" }
        Output.put("\(stamp) p=\(getpid()) u=\(user) n=ansible \(level)| \(body)\n", descriptor)
    }
}

/// How many columns the text takes: signs of East Asia and pictures take two.
func textWidth(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { width, scalar in
        switch scalar.value {
        case 0x300...0x36f, 0x200b...0x200f, 0xfe00...0xfe0f: width
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
            0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
            width + 2
        default: width + 1
        }
    }
}
