import Controller
import Glibc
import Values
import Wire

/// The whole run as one JSON text at its end: the `json` callback.
final class JSONCallback: Callback {
    private let setting: CallbackSetting
    private var plays: [Value] = []
    private var tasks: [Dict] = []
    private var play = Dict()
    private var hosts = Dict()
    private var stats = CustomStats()
    private var messages: MessageLines
    private var identifiers = UInt64(getpid())

    init(_ setting: CallbackSetting) {
        self.setting = setting
        messages = MessageLines(toErrors: true, showsDeprecations: setting.flag(.deprecationWarnings))
    }

    func show(_ event: RunEvent) {
        switch event {
        case .play(let name, let place, _, _):
            endPlay()
            play = head(name, place)
        case .task(let info, _):
            endTask()
            tasks.append(head(info.name, info.place))
        case .result(let host, let info, let result): record(host, info, result)
        case .message(let host, let diagnostic): messages.show(diagnostic, host, on: setting.terminal)
        case .stats(let host, let values, let perHost, let aggregate):
            stats.collect(host, values, perHost: perHost, aggregate: aggregate)
        case .recap(let counts):
            endPlay()
            setting.terminal.line(text(counts))
        default: break
        }
    }

    private func head(_ name: String, _ place: Place?) -> Dict {
        identifiers += 1
        return [
            "name": .string(name), "id": .string(identifier()), "duration": .dict(["start": .string(Self.time())]),
            "path": .string(place.map { "\(Disk.absolute($0.file.name)):\($0.line)" } ?? ""),
        ]
    }

    /// In the form of a UUID, and the only one of its kind in this run.
    private func identifier() -> String {
        let digits = Array(String(identifiers &* 0x9e37_79b9_7f4a_7c15, radix: 16))
        let padded = Array(repeating: "0", count: max(0, 32 - digits.count)).map(Character.init) + digits
        let cuts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return cuts.map { String(padded[$0]) }.joined(separator: "-")
    }

    private func record(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        guard !tasks.isEmpty, result.status != .rescued else { return }
        var shown = Dict(
            uniqueKeysWithValues: result.result.filter { !$0.key.pythonText.hasPrefix("_") }.elements)
        if shown["failed"]?.isTrue == false { shown["failed"] = nil }
        switch result.status {
        case .failed, .ignored: shown["failed"] = true
        case .skipped: shown["skipped"] = true
        case .unreachable: shown["unreachable"] = true
        default: break
        }
        shown["action"] = .string(info.module)
        if result.isHidden { shown["_ansible_no_log"] = true }
        hosts[host] = .dict(shown)
        let end = Value.string(Self.time())
        tasks[tasks.count - 1]["duration"] = Self.ended(tasks[tasks.count - 1]["duration"], end)
        play["duration"] = Self.ended(play["duration"], end)
    }

    private static func ended(_ duration: Value?, _ end: Value) -> Value {
        var duration = duration?.dict ?? Dict()
        duration["end"] = end
        return .dict(duration)
    }

    private func endTask() {
        guard let last = tasks.indices.last, tasks[last]["hosts"] == nil else { return }
        tasks[last] = ["task": .dict(tasks[last]), "hosts": .dict(hosts)]
        hosts = Dict()
    }

    private func endPlay() {
        endTask()
        if !play.isEmpty { plays.append(.dict(["play": .dict(play), "tasks": .list(tasks.map { .dict($0) })])) }
        play = Dict()
        tasks = []
    }

    private func text(_ counts: [(host: String, HostCounts)]) -> String {
        let summary = counts.map { host, counts in
            let pairs = counts.pairs.map { ($0.name == "failed" ? "failures" : $0.name, Value.int($0.count)) }
            return (host, Value.dict(Dict(pairs)))
        }
        let isShown = setting.options.customStats
        let output: Dict = [
            "plays": .list(plays), "stats": .dict(Dict(summary)),
            "custom_stats": .dict(isShown ? Dict(stats.hosts.map { ($0.host, Value.dict($0.values)) }) : Dict()),
            "global_custom_stats": .dict(isShown ? stats.run : Dict()),
        ]
        return Value.dict(output).json(JSONStyle(indent: 4, sortKeys: true))
    }

    private static func time() -> String {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        _ = unsafe gmtime_r(&now.tv_sec, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let micro = String(now.tv_nsec / 1000)
        let second = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(second).\(String(repeating: "0", count: 6 - micro.count))\(micro)Z"
    }
}
