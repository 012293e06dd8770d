import Controller
import Glibc
import Values
import Wire

/// `junit`: the run as test cases, for build servers. The variables `JUNIT_*` say where and what.
final class JUnitCallback: Callback {
    private enum Ending { case passed, failed(String, String), skipped(String), included(String) }
    private struct Case {
        let name: String
        let className: String
        let seconds: Double
        let ending: Ending
        let output: String
    }

    private let setting: CallbackSetting
    private let environment: [String: String]
    private let folder: String
    private var play = ""
    private var task: TaskInfo?
    private var start = ContinuousClock.now
    private var cases: [Case] = []

    init(_ setting: CallbackSetting) {
        self.setting = setting
        environment = setting.configuration.environment
        let given = environment["JUNIT_OUTPUT_DIR"].map { setting.configuration.expanded($0) }
        folder = given ?? setting.configuration.expanded("~/.ansible.log")
    }

    private func isOn(_ name: String) -> Bool { environment["JUNIT_\(name)"]?.lowercased() == "true" }

    func show(_ event: RunEvent) {
        switch event {
        case .play(let name, _, _, _): play = name
        case .task(let info, _):
            task = info
            start = .now
        case .result(let host, let info, let result): add(host, info, result)
        case .included(_, let path, _):
            if let task { add("include", task, .included(path), "") }
        case .recap: report()
        default: break
        }
    }

    private func add(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        let isSetup = ["setup", "gather_facts"].contains(info.module)
        if isSetup, environment["JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT"]?.lowercased() == "false" { return }
        let isChange = isOn("FAIL_ON_CHANGE") && result.result["changed"]?.isTrue ?? false
        var isFailed: Bool
        switch result.status {
        case .skipped:
            return add(host, info, .skipped(result.result["skip_reason"]?.pythonText ?? "skipped"), "")
        case .rescued: return
        case .failed, .unreachable: isFailed = true
        case .ignored: isFailed = isOn("FAIL_ON_IGNORE")
        case .ok, .changed: isFailed = isChange
        }
        if isFailed, info.name.contains("EXPECTED FAILURE") {
            isFailed = false
        } else if info.name.contains("TOGGLE RESULT") {
            isFailed.toggle()
        }
        let dump = setting.text.dump(result.result, action: info.module, indent: 0)
        let message = result.result["msg"]?.pythonText ?? "rc=\(result.result["rc"]?.pythonText ?? "0")"
        add(host, info, isFailed ? .failed(message, dump) : .passed, dump)
    }

    private func add(_ host: String, _ info: TaskInfo, _ ending: Ending, _ output: String) {
        if case .failed = ending {} else if !info.name.hasPrefix(environment["JUNIT_TEST_CASE_PREFIX"] ?? "") { return }
        let duration = start.duration(to: .now).components
        cases.append(
            Case(
                name: "[\(host)] \(play): \(info.name)", className: className(info),
                seconds: Double(duration.seconds) + Double(duration.attoseconds) / 1e18, ending: ending,
                output: output))
    }

    /// Where the task is written.
    private func className(_ info: TaskInfo) -> String {
        guard let place = info.place else { return "" }
        var name = "\(Disk.absolute(place.file.name)):\(place.line)"
        if let base = environment["JUNIT_TASK_RELATIVE_PATH"], !base.isEmpty { name = relative(name, to: base) }
        if let other = environment["JUNIT_REPLACE_OUT_OF_TREE_PATH"], name.hasPrefix("../") {
            name = other + (name.split(separator: "/").last ?? "")
        }
        if isOn("TASK_CLASS"), let end = name.firstRange(of: ".yml:") { name = String(name[..<end.lowerBound]) }
        return name
    }

    private func relative(_ path: String, to base: String) -> String {
        let parts = path.split(separator: "/")
        let others = Disk.absolute(base).split(separator: "/")
        let common = zip(parts, others).prefix { $0 == $1 }.count
        return (Array(repeating: "..", count: others.count - common) + parts.dropFirst(common).map(String.init))
            .joined(separator: "/")
    }

    // MARK: The report

    private func report() {
        let file = setting.options.playbooks.first?.split(separator: "/").last.map(String.init) ?? "run"
        let name = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        let path = "\(folder)/\(name)-\(now.tv_sec).\(now.tv_nsec / 100).xml"
        do throws(CommandFailure) { try Output.write(xml(name), to: path) } catch {
            setting.terminal.line("[WARNING]: \(error.description)", .warning, toErrors: true)
        }
    }

    private func xml(_ name: String) -> String {
        var failures = 0
        var skipped = 0
        for entry in cases {
            if case .failed = entry.ending { failures += 1 }
            if case .skipped = entry.ending { skipped += 1 }
        }
        let time = cases.reduce(0) { $0 + $1.seconds }
        let counts = "disabled=\"0\" errors=\"0\" failures=\"\(failures)\""
        var lines = ["<?xml version=\"1.0\" ?>"]
        lines.append("<testsuites \(counts) tests=\"\(cases.count)\" time=\"\(time)\">")
        lines.append(
            "\t<testsuite \(counts) name=\"\(escaped(name))\" skipped=\"\(skipped)\" tests=\"\(cases.count)\" "
                + "time=\"\(time)\">")
        for entry in cases { lines += xml(entry) }
        return (lines + ["\t</testsuite>", "</testsuites>", ""]).joined(separator: "\n")
    }

    private func xml(_ entry: Case) -> [String] {
        var head = "\t\t<testcase"
        if !entry.className.isEmpty { head += " classname=\"\(escaped(entry.className))\"" }
        head += " name=\"\(escaped(entry.name))\" time=\"\(entry.seconds)\""
        var inner: [String] = []
        switch entry.ending {
        case .passed: inner = ["<system-out>\(escaped(entry.output))</system-out>"]
        case .included(let path): inner = ["<system-out>\(escaped(path))</system-out>"]
        case .skipped(let reason): inner = ["<skipped>\(escaped(reason))</skipped>"]
        case .failed(let message, let output):
            inner = ["<failure message=\"\(escaped(message))\" type=\"failure\">\(escaped(output))</failure>"]
        }
        return [head + ">"] + inner.map { "\t\t\t" + $0 } + ["\t\t</testcase>"]
    }

    private func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { out, scalar in
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "\n", "\t": out.unicodeScalars.append(scalar)
            // Other control characters cannot be in XML at all.
            case _ where scalar.value < 0x20: out += "\u{fffd}"
            default: out.unicodeScalars.append(scalar)
            }
        }
    }
}
