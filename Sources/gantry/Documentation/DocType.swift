import Controller
import Engine
import Hosts
import Modules
import Playbooks
import Templates

/// A kind of what has documentation, by the word of `ansible-doc -t`.
enum DocType: String, CaseIterable {
    case become, cache, callback, cliconf, connection, httpapi, inventory, lookup, netconf, shell, vars, module
    case strategy, test, filter, role, keyword

    /// What is built in, in the order of names.
    var native: [DocEntry] {
        let entries: [DocEntry] =
            switch self {
            case .module: Registry.all.map { DocEntry($0) }
            case .filter: Filters.summaries(.filter).map { DocEntry($0, value: "_input") }
            case .test: Filters.summaries(.test).map { DocEntry($0, value: "_input") }
            case .lookup: Lookup.summaries.map { DocEntry($0, value: nil) }
            case .keyword: KeywordSummary.all.map { DocEntry($0) }
            case .role: []
            default: choices.map { DocEntry($0.name, $0.summary, $0.settings) }
            }
        return entries.sorted { $0.name < $1.name }
    }

    /// What can be chosen by name, of types that are closed sets.
    var choices: [PluginChoice] {
        switch self {
        case .callback: Self.callbacks
        case .connection: Self.connections
        case .inventory: InventoryForm.allCases.map { PluginChoice($0.rawValue, $0.summary) }
        case .become:
            [
                PluginChoice("su", "Becomes another user by su.", Self.becoming),
                PluginChoice("sudo", "Becomes another user by sudo.", Self.becoming),
            ]
        case .cache:
            [
                PluginChoice("jsonfile", "Keeps facts in files of JSON.", Setting.all.filter(\.isOfCache)),
                PluginChoice("memory", "Keeps facts until the run ends."),
            ]
        case .strategy:
            [
                PluginChoice("debug", "As linear, and asks a person about tasks that failed."),
                PluginChoice("free", "Each host goes on as fast as it can."),
                PluginChoice("host_pinned", "As free, with whole hosts at a time where forks are limited."),
                PluginChoice("linear", "What changes something waits for all hosts to have come as far."),
            ]
        case .vars: [PluginChoice("host_group_vars", "Reads the files of group_vars and host_vars.")]
        case .shell: [PluginChoice("sh", "The shell of POSIX.")]
        default: []
        }
    }

    /// The types that `config -t` takes.
    static let configurable: [DocType] = [
        .become, .cache, .callback, .cliconf, .connection, .httpapi, .inventory, .lookup, .netconf, .shell, .vars,
    ]

    private static let becoming: [Setting] = [.become, .becomeMethod, .becomeUser, .becomeAskPassword]

    private static var callbacks: [PluginChoice] {
        let shown: [Setting] = [
            .displaySkipped, .displayOK, .failedToErrors, .checkMarkers, .customStats, .resultFormat, .prettyResults,
            .perHostStart, .pathOnFailure,
        ]
        return StdoutCallback.allCases.map { PluginChoice($0.rawValue, $0.summary, $0 == .default ? shown : []) }
            + EnabledCallback.allCases.map { PluginChoice($0.rawValue, $0.summary, $0 == .tree ? [.treeFolder] : []) }
    }

    private static var connections: [PluginChoice] {
        let own = Setting.all.filter { $0.keys.contains { $0.hasPrefix("ssh_connection.") } }
        let settings = own + [.remoteUser, .remotePort, .privateKeyFile]
        return ConnectionSettings.Kind.allCases.map { kind in
            PluginChoice(kind.rawValue, kind.summary, [.ssh, .openssh].contains(kind) ? settings : [])
        }
    }

    /// Reference pages: file name and content of each.
    var pages: [(name: String, text: String)] {
        switch self {
        case .module: Reference.pages
        case .filter: [("filters.md", Filters.page(.filter))]
        case .test: [("tests.md", Filters.page(.test))]
        case .lookup: [("lookups.md", Lookup.page)]
        case .keyword: [("keywords.md", KeywordSummary.page)]
        default: []
        }
    }

    // MARK: Files

    /// The folder of such files beside playbooks.
    var localFolder: String { self == .module ? "library" : "\(rawValue)_plugins" }
    /// The one in collections.
    var collectionFolder: String { self == .module ? "plugins/modules" : "plugins/\(rawValue)" }
    /// The setting that names folders of them.
    var setting: Setting? {
        let name = self == .module
            ? "DEFAULT_MODULE_PATH"
            : self == .become ? "BECOME_PLUGIN_PATH" : "DEFAULT_\(rawValue.uppercased())_PLUGIN_PATH"
        return Setting.all.first { $0.name == name }
    }
    var hasFiles: Bool { self != .keyword && self != .role }
    /// Those of which there is something to fill in.
    var hasSnippets: Bool { [.module, .inventory, .lookup, .filter, .test].contains(self) }
}

/// One of a closed set, by its name, and the settings that it reads.
struct PluginChoice {
    let name: String
    let summary: String
    let settings: [Setting]

    init(_ name: String, _ summary: String, _ settings: [Setting] = []) {
        self.name = name
        self.summary = summary
        self.settings = settings
    }
}

extension Setting {
    fileprivate var isOfCache: Bool { name.hasPrefix("CACHE_PLUGIN") }
    /// As a plugin calls it: the last part of its key.
    var optionName: String {
        keys.first?.split(separator: ".").last.map(String.init) ?? name.lowercased()
    }
}

extension StdoutCallback {
    var summary: String {
        switch self {
        case .default: "Plays, tasks, results and a recap."
        case .minimal: "Each host's result and nothing else."
        case .oneline: "Each host's result on one line."
        case .json: "One document of JSON at the end."
        case .yaml: "As default, with results as YAML."
        }
    }
}

extension EnabledCallback {
    var summary: String {
        switch self {
        case .junit: "Writes a report that build servers read."
        case .timer: "Says how long the run took."
        case .tree: "Writes each host's result into a file of a folder."
        case .profileTasks: "Says how long each task took."
        }
    }
}

extension ConnectionSettings.Kind {
    var summary: String {
        switch self {
        case .local: "The machine that gantry runs on."
        case .ssh: "SSH, by a client that is built in."
        case .openssh: "SSH, by the program ssh."
        case .docker: "A container of Docker."
        }
    }
}

extension InventoryForm {
    var summary: String {
        switch self {
        case .hostList: "Hosts between commas."
        case .script: "A program that prints JSON."
        case .auto: "A YAML file that names the plugin to read it with."
        case .yaml: "Groups and hosts in YAML."
        case .ini: "Groups and hosts in sections."
        case .toml: "Groups and hosts in TOML."
        case .constructed: "Groups and variables of templates over hosts that are there."
        case .generator: "Hosts and groups of layers of names."
        case .advancedHostList: "Hosts and ranges of them between commas."
        }
    }
}
