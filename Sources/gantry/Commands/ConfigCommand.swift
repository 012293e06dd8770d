import ArgumentParser
import Playbooks
import Values
import YAML

/// `gantry config`: which settings there are, what they are, and where each came from.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the settings, and where each came from.",
        discussion: """
            Examples:
              gantry config dump --only-changed
                                       what differs from the defaults, and why
              gantry config init --disabled > ansible.cfg
            """,
        subcommands: [ConfigList.self, ConfigDump.self, ConfigView.self, ConfigInit.self, ConfigValidate.self])
}

struct ConfigArguments: ParsableArguments {
    @Option(name: [.customShort("c"), .customLong("config")], help: "Read this file.", completion: .file())
    var file: String?

    @Option(name: [.customShort("t"), .long], help: "base, all, or a type of plugins such as connection.")
    var type = "base"

    @Argument(help: "Names of plugins, with --type.")
    var plugins: [String] = []

    @OptionGroup var verbosity: VerbosityArguments

    func configuration() throws(CommandFailure) -> Configuration {
        let environment = Configuration.processEnvironment()
        if let file, Disk.kind(expandedPath(file, environment)) != .file {
            throw CommandFailure(
                Diagnostic("The provided configuration file is missing or not accessible: \(Disk.absolute(file))"),
                status: 5)
        }
        do throws(Diagnostic) {
            let configuration = try Configuration(environment: environment, file: file)
            configuration.announce(verbosity: verbosity.verbose)
            for warning in configuration.warnings { Output.printError(warning.shown) }
            return configuration
        } catch { throw CommandFailure(error, status: 1) }
    }

    func validate() throws {
        let known = ["all", "base"] + DocType.configurable.map(\.rawValue)
        guard known.contains(type) else {
            let words = known.joined(separator: ", ")
            throw ValidationError("argument -t/--type: invalid choice: '\(type)' (choose from \(words))")
        }
    }

    /// Those that are no plugin's alone.
    var base: [Setting] {
        type == "base" || type == "all" ? Setting.all.filter { !$0.isOfPlugin } : []
    }

    /// Those of plugins, by their type.
    var groups: [(type: DocType, plugins: [PluginChoice])] {
        DocType.configurable.filter { type == "all" || type == $0.rawValue }.map { kind in
            (kind, kind.choices.filter { plugins.isEmpty || plugins.contains($0.name) })
        }
    }
}

extension Setting {
    /// It belongs to plugins alone, as Ansible has it.
    var isOfPlugin: Bool {
        if !keys.isEmpty, keys.allSatisfy({ $0.hasPrefix("ssh_connection.") }) { return true }
        return [
            "ANSIBLE_REMOTE_TMP", "ANSIBLE_SSH_RETRIES", "CALLBACK_FORMAT_PRETTY", "CALLBACK_TREE_DIR",
            "CHECK_MODE_MARKERS", "DEFAULT_RESULT_FORMAT", "DISPLAY_FAILED_STDERR", "DISPLAY_OK_HOSTS",
            "INVENTORY_SCRIPT_STDERR", "INVENTORY_USE_EXTRA_VARS", "SHOW_PER_HOST_START",
            "SHOW_TASK_PATH_ON_FAILURE",
        ].contains(name)
    }
}

enum ConfigFormat: String, ExpressibleByArgument, CaseIterable { case json, yaml, display }

struct ConfigDump: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dump", abstract: "Show what settings are.")

    @OptionGroup var arguments: ConfigArguments
    @Flag(name: [.customLong("only-changed"), .customLong("changed-only")], help: "Only what is not the default.")
    var onlyChanged = false
    @Option(name: [.customShort("f"), .long], help: "json, yaml or display.") var format: ConfigFormat = .display

    func run() throws {
        let configuration = try arguments.configuration()
        let palette = Terminal(configuration)
        func shown(_ settings: [Setting]) -> [Setting] {
            settings.filter { !onlyChanged || configuration.origin($0).origin != "default" }
        }
        // The file itself stands among the settings.
        let file = configuration.path.map { Disk.absolute($0) }
        let fileName = "CONFIG_FILE"
        func row(_ setting: Setting, _ name: String) -> Value {
            let (value, origin) = configuration.typed(setting)
            return ["name": .string(name), "origin": .string(origin), "value": value]
        }
        guard format == .display else {
            var rows = shown(arguments.base).map { ($0.name, row($0, $0.name)) }
            if let file, !arguments.base.isEmpty {
                rows.insert(
                    (fileName, ["name": .string(fileName), "origin": "", "value": .string(file)]),
                    at: rows.firstIndex { $0.0 > fileName } ?? rows.endIndex)
            }
            var entries = rows.map(\.1)
            if !arguments.base.isEmpty { entries.append(["GALAXY_SERVERS": .dict(Dict())]) }
            for (kind, plugins) in arguments.groups {
                let told = plugins.map { plugin -> Value in
                    let options = shown(plugin.settings).sorted { $0.optionName < $1.optionName }
                    return .dict([.string(Text(plugin.name)): .list(options.map { row($0, $0.optionName) })])
                }
                let isAlone = arguments.type != "all"
                entries += isAlone ? told : [.dict([.string(Text(kind.rawValue.uppercased())): .list(told)])]
            }
            let value = Value.list(entries)
            let text = format == .json ? value.json(JSONStyle(indent: 4, sortKeys: true)) : try yamlText(value)
            return Pager.show(text, configuration)
        }
        func line(_ setting: Setting, _ name: String) -> String {
            let (value, origin) = configuration.typed(setting)
            return palette.coloured(
                "\(name)(\(origin)) = \(value.pythonText)", origin == "default" ? .ok : .changed)
        }
        var named = shown(arguments.base).map { ($0.name, line($0, $0.name)) }
        if let file, !arguments.base.isEmpty {
            named.insert(
                (fileName, palette.coloured("\(fileName)() = \(file)", .changed)),
                at: named.firstIndex { $0.0 > fileName } ?? named.endIndex)
        }
        var lines = named.map(\.1)
        if !arguments.base.isEmpty { lines.append("\nGALAXY_SERVERS:\n") }
        for (kind, plugins) in arguments.groups {
            let title = kind.rawValue.uppercased()
            if arguments.type == "all" { lines.append("\n\(title):\n\(String(repeating: "=", count: title.count))") }
            for plugin in plugins {
                let options = shown(plugin.settings).sorted { $0.optionName < $1.optionName }
                guard !options.isEmpty else { continue }
                lines.append("\n\(plugin.name):\n\(String(repeating: "_", count: plugin.name.count))")
                lines += options.map { line($0, $0.optionName) }
            }
        }
        Pager.show(lines.joined(separator: "\n"), configuration)
    }
}

struct ConfigList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show which settings there are.")

    @OptionGroup var arguments: ConfigArguments
    @Option(name: [.customShort("f"), .long], help: "json or yaml.") var format: ConfigFormat = .yaml

    func run() throws {
        let configuration = try arguments.configuration()
        var all = Dict()
        for setting in arguments.base { all[setting.name] = .dict(setting.document) }
        var groups = Dict()
        for (kind, plugins) in arguments.groups {
            var told = Dict()
            for plugin in plugins {
                told[plugin.name] = .dict(Dict(plugin.settings.map { ($0.optionName, Value.dict($0.document)) }))
            }
            groups[kind.rawValue] = .dict(told)
        }
        if !groups.isEmpty { all["PLUGINS"] = .dict(groups) }
        let value = Value.dict(all)
        let text = format == .json ? value.json(JSONStyle(indent: 4, sortKeys: true)) : try yamlText(value)
        Pager.show(text, configuration)
    }
}

struct ConfigView: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "view", abstract: "Show the file that is read.")
    @OptionGroup var arguments: ConfigArguments

    func run() throws {
        let configuration = try arguments.configuration()
        guard let path = configuration.path, let bytes = try Disk.contents(path) else {
            throw CommandFailure(Diagnostic("Invalid or no config file was supplied"), status: 1)
        }
        Pager.show(String(decoding: bytes, as: UTF8.self), configuration)
    }
}

enum ConfigInitFormat: String, ExpressibleByArgument, CaseIterable { case ini, env, vars }

struct ConfigInit: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Write a file with all settings.")

    @OptionGroup var arguments: ConfigArguments
    @Option(name: [.customShort("f"), .long], help: "ini, env or vars.") var format: ConfigInitFormat = .ini
    @Flag(help: "All of them as comments.") var disabled = false

    func run() throws {
        let configuration = try arguments.configuration()
        var seen: Set<String> = []
        let ofPlugins = arguments.groups.flatMap { $0.plugins.flatMap(\.settings) }
        let settings = (arguments.base + ofPlugins).filter { seen.insert($0.name).inserted }
        var lines: [String] = []
        switch format {
        case .ini: lines = sections(of: settings)
        case .env:
            for setting in settings {
                guard let variable = setting.variables.last else { continue }
                lines.append("# \(setting.name)(\(setting.type.name)): \(setting.summary)")
                lines += ["\(disabled ? "#" : "")\(variable)=\(quoted(setting.written(flags: ("1", "0"))))", ""]
            }
        case .vars:
            for setting in settings {
                guard let variable = Setting.hostVariables[setting.name]?.last else { continue }
                let value = setting.written(flags: ("true", "false"))
                lines.append("# \(setting.name)(\(setting.type.name)): \(setting.summary)")
                lines += ["\(disabled ? "#" : "")\(variable): \(value.isEmpty ? "''" : value)", "", ""]
            }
        }
        Pager.show(lines.joined(separator: "\n"), configuration)
    }

    private func sections(of settings: [Setting]) -> [String] {
        var lines: [String] = []
        var sections: [String] = []
        var entries: [String: [Setting]] = [:]
        for setting in settings {
            guard let key = setting.keys.last, let section = key.split(separator: ".").first else { continue }
            if entries[String(section)] == nil { sections.append(String(section)) }
            entries[String(section), default: []].append(setting)
        }
        for section in sections {
            lines.append("[\(section)]")
            for setting in entries[section] ?? [] {
                let key = (setting.keys.last ?? "").drop { $0 != "." }.dropFirst()
                lines.append("# (\(setting.type.name)) \(setting.summary)")
                lines += ["\(disabled ? ";" : "")\(key)=\(setting.written(flags: ("True", "False")))", ""]
            }
            lines.append("")
        }
        return lines
    }

    /// For a shell.
    private func quoted(_ value: String) -> String {
        let plain = value.allSatisfy { $0.isLetter || $0.isNumber || "@%+=:,./-_".contains($0) }
        if plain { return value }
        let parts = value.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.joined(separator: "'\"'\"'") + "'"
    }
}

struct ConfigValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Look for settings that there are not.")

    @OptionGroup var arguments: ConfigArguments
    @Option(name: [.customShort("f"), .long], help: "ini or env.") var format: ConfigInitFormat = .ini

    func run() throws {
        let configuration = try arguments.configuration()
        var wrong: [String] = []
        if format == .env {
            let known = Set(Setting.all.flatMap(\.variables) + ["ANSIBLE_CONFIG", "ANSIBLE_DEV_HOME"])
            for name in configuration.environment.keys.sorted()
            where name.hasPrefix("ANSIBLE_") && !name.hasPrefix("ANSIBLE_TEST_") && !known.contains(name) {
                wrong.append("Found unknown environment variable '\(name)'.")
            }
        } else {
            let known = Set(Setting.all.flatMap(\.keys))
            for key in configuration.keys where !known.contains(key) {
                let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
                let place = "in section '\(parts[0])' in '\(configuration.path ?? "")'"
                wrong.append("Found unknown key '\(parts.last ?? "")' \(place).")
            }
        }
        if wrong.isEmpty { return Output.print("All configurations seem valid!") }
        throw CommandFailure(wrong.map { Diagnostic($0) }, status: 1)
    }
}
