import Controller
import Synchronization
import Values

/// Shows a run, or writes it down: one of a closed set, chosen by name. Called by one event at a time.
protocol Callback: AnyObject {
    func show(_ event: RunEvent)
}

/// What callbacks work with.
struct CallbackSetting {
    let configuration: Configuration
    let options: DisplayOptions
    let terminal: Terminal

    var text: ResultText { ResultText(options) }
    func flag(_ setting: Setting) -> Bool { configuration.flag(setting) }
}

/// The callbacks of a run, one of which shows it.
final class Callbacks: EventSink {
    private struct Box: ~Copyable {
        let callbacks: [any Callback]
    }

    private let box: Mutex<Box>

    /// - Parameter stdout: the one that shows the run.
    init(
        stdout: StdoutCallback, enabled: [EnabledCallback], _ configuration: Configuration, _ options: DisplayOptions
    ) {
        let setting = CallbackSetting(
            configuration: configuration, options: options, terminal: Terminal(configuration))
        let others = enabled.map { $0.callback(setting) }
        box = Mutex(Box(callbacks: [stdout.callback(setting)] + others))
    }

    func show(_ event: RunEvent) {
        box.withLock { box in
            for callback in box.callbacks { callback.show(event) }
        }
    }
}

/// The callbacks that show a run.
enum StdoutCallback: String, CaseIterable {
    case `default`, minimal, oneline, json, yaml

    func callback(_ setting: CallbackSetting) -> any Callback {
        switch self {
        case .default, .yaml: DefaultCallback(setting)
        case .minimal: MinimalCallback(setting)
        case .oneline: OnelineCallback(setting)
        case .json: JSONCallback(setting)
        }
    }
}

/// The callbacks that are enabled beside that one.
enum EnabledCallback: String, CaseIterable {
    case junit, timer, tree, profileTasks = "profile_tasks"

    func callback(_ setting: CallbackSetting) -> any Callback {
        switch self {
        case .junit: JUnitCallback(setting)
        case .timer: TimerCallback(setting)
        case .tree: TreeCallback(setting)
        case .profileTasks: ProfileTasksCallback(setting)
        }
    }
}

/// Callbacks by the names that settings give them, with or without their collection.
struct CallbackChoice {
    var stdout: StdoutCallback
    var enabled: [EnabledCallback]
    var warnings: [Diagnostic] = []

    /// - Throws: when there is no such callback: a run that nobody can read must not begin.
    init(_ configuration: Configuration) throws(CommandFailure) {
        let (name, origin) = configuration.origin(.stdoutCallback)
        guard let stdout = StdoutCallback(rawValue: Self.short(name)) else {
            throw CommandFailure(Self.unknown(name, origin, StdoutCallback.allCases.map(\.rawValue)), status: 1)
        }
        self.stdout = stdout
        enabled = []
        let (_, place) = configuration.origin(.callbacksEnabled)
        for name in configuration.list(.callbacksEnabled) {
            let short = Self.short(name)
            if let callback = EnabledCallback(rawValue: short) {
                if !enabled.contains(callback) { enabled.append(callback) }
            } else if StdoutCallback(rawValue: short) == nil {
                // Those that show a run are chosen by the other setting: enabling them does nothing.
                var warning = Self.unknown(name, place, EnabledCallback.allCases.map(\.rawValue))
                warning.severity = .warning
                warnings.append(warning)
            }
        }
    }

    private static func short(_ name: String) -> String {
        for collection in ["ansible.builtin.", "ansible.legacy.", "ansible.posix.", "community.general."]
        where name.hasPrefix(collection) {
            return String(name.dropFirst(collection.count))
        }
        return name
    }

    private static func unknown(_ name: String, _ origin: String, _ known: [String]) -> Diagnostic {
        Diagnostic(
            "there is no callback '\(name)' (\(origin))", hint: suggestion(for: name, among: known),
            notes: ["there are: \(known.joined(separator: ", ")); callbacks in Python are not loaded"])
    }
}
