import Controller
import Glibc
import Values
import Wire

/// `timer`: how long the run took.
final class TimerCallback: Callback {
    private let terminal: Terminal
    private let start = ContinuousClock.now

    init(_ setting: CallbackSetting) { terminal = setting.terminal }

    func show(_ event: RunEvent) {
        guard case .recap = event else { return }
        let seconds = Int(start.duration(to: .now).components.seconds)
        terminal.banner("PLAYBOOK RECAP")
        terminal.line(
            "Playbook run took \(seconds / 86_400) days, \(seconds / 3600 % 24) hours, \(seconds / 60 % 60) minutes, "
                + "\(seconds % 60) seconds\n\r")
    }
}

/// `profile_tasks`: when each task began, and the longest ones at the end.
final class ProfileTasksCallback: Callback {
    private struct Entry {
        let name: String
        let path: String?
        var elapsed = 0.0
    }

    private let terminal: Terminal
    private let verbosity: Int
    private let limit: Int?
    private let start = now()
    private var last = now()
    private var began = now()
    private var entries: [Entry] = []
    private var current: Int?

    init(_ setting: CallbackSetting) {
        terminal = setting.terminal
        verbosity = setting.options.verbosity
        let given = setting.configuration.environment["PROFILE_TASKS_TASK_OUTPUT_LIMIT"] ?? ""
        limit = given == "all" ? nil : Int(given) ?? 20
    }

    private static func now() -> Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    func show(_ event: RunEvent) {
        switch event {
        case .task(let info, _):
            stamp()
            close()
            let path = info.place.map { "\(Disk.absolute($0.file.name)):\($0.line)" }
            entries.append(Entry(name: info.name, path: verbosity >= 2 ? path : nil))
            current = entries.count - 1
            began = Self.now()
        case .recap:
            terminal.banner("TASKS RECAP")
            stamp()
            terminal.line(Self.filled("", "="))
            close()
            for entry in entries.sorted(by: { $0.elapsed > $1.elapsed }).prefix(limit ?? entries.count) { line(entry) }
        default: break
        }
    }

    private func close() {
        if let current { entries[current].elapsed += Self.now() - began }
        current = nil
    }

    private func line(_ entry: Entry) {
        let columns = terminal.columns
        let seconds = " \(Self.fixed(entry.elapsed, 2))s"
        func dashed(_ text: String, _ width: Int) -> String {
            text + String(repeating: "-", count: max(0, width - text.count))
        }
        let fill = String(repeating: "-", count: max(0, 9 - seconds.count))
        terminal.line(dashed(entry.name + " ", columns - 9) + fill + seconds)
        if let path = entry.path { terminal.line(dashed(path + " ", columns)) }
    }

    private func stamp() {
        let time = Self.now()
        let text = "\(Self.date()) (\(Self.clock(time - last)))       \(Self.clock(time - start))"
        last = time
        terminal.line(Self.filled(text, "*"))
    }

    private static func filled(_ text: String, _ character: Character) -> String {
        let lead = text.isEmpty ? "" : text + " "
        return lead + String(repeating: character, count: max(3, 79 - lead.count)) + " "
    }

    private static func date() -> String {
        var seconds = time(nil)
        var parts = unsafe tm()
        _ = unsafe localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 128)
        let count = unsafe strftime(&buffer, buffer.count, "%A %d %B %Y  %H:%M:%S %z", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `0:00:01.234`.
    private static func clock(_ seconds: Double) -> String {
        let all = Int(seconds * 1000)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let seconds = "\(padded(all / 1000 % 60, 2)).\(padded(all % 1000, 3))"
        return "\(all / 3_600_000):\(padded(all / 60_000 % 60, 2)):\(seconds)"
    }

    private static func fixed(_ number: Double, _ digits: Int) -> String {
        let hundredths = Int((number * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// `tree`: the last result of each host in a file of its name.
final class TreeCallback: Callback {
    private let folder: String
    private let text: ResultText
    private let terminal: Terminal

    init(_ setting: CallbackSetting) {
        folder = setting.configuration.file(.treeFolder) ?? "."
        text = setting.text
        terminal = setting.terminal
    }

    func show(_ event: RunEvent) {
        guard case .result(let host, _, let result) = event, result.status != .skipped,
            result.status != .rescued
        else { return }
        // A host's name must not lead out of the folder.
        let name = host.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "_")
        do throws(CommandFailure) {
            try Output.write(text.dump(result.result, action: ""), to: "\(folder)/\(name)", mode: 0o600)
        } catch {
            let text = "[WARNING]: Unable to write to '\(host)'s file. \(error.description)"
            terminal.line(text, .warning, toErrors: true)
        }
    }
}
