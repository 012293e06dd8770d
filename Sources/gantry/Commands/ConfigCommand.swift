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

    @Option(name: [.customShort("t"), .long], help: "base, all, or connection.")
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

    /// Settings of connections are a type of their own, as Ansible has it.
    static func isConnection(_ setting: Setting) -> Bool {
        !setting.keys.isEmpty && setting.keys.allSatisfy { $0.hasPrefix("ssh_connection.") }
    }

    var base: [Setting] {
        type == "base" || type == "all" ? Setting.all.filter { !Self.isConnection($0) } : []
    }
    var connection: [Setting] {
        type == "connection" || type == "all" ? Setting.all.filter(Self.isConnection) : []
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
        guard format == .display else {
            var rows = shown(arguments.base + arguments.connection).map { setting -> (String, Value) in
                let (value, origin) = configuration.typed(setting)
                return (setting.name, ["name": .string(setting.name), "origin": .string(origin), "value": value])
            }
            if let file, !arguments.base.isEmpty {
                rows.insert(
                    (fileName, ["name": .string(fileName), "origin": "", "value": .string(file)]),
                    at: rows.firstIndex { $0.0 > fileName } ?? rows.endIndex)
            }
            var entries = rows.map(\.1)
            if !arguments.base.isEmpty { entries.append(["GALAXY_SERVERS": .dict(Dict())]) }
            let value = Value.list(entries)
            let text = format == .json ? value.json(JSONStyle(indent: 4, sortKeys: true)) : try yamlText(value)
            return Pager.show(text, configuration)
        }
        func line(_ setting: Setting) -> String {
            let (value, origin) = configuration.typed(setting)
            return palette.coloured(
                "\(setting.name)(\(origin)) = \(value.pythonText)", origin == "default" ? .ok : .changed)
        }
        var named = shown(arguments.base).map { ($0.name, line($0)) }
        if let file, !arguments.base.isEmpty {
            named.insert(
                (fileName, palette.coloured("\(fileName)() = \(file)", .changed)),
                at: named.firstIndex { $0.0 > fileName } ?? named.endIndex)
        }
        var lines = named.map(\.1)
        if !arguments.base.isEmpty { lines.append("\nGALAXY_SERVERS:\n") }
        let connection = shown(arguments.connection)
        if !connection.isEmpty {
            lines += ["\nCONNECTION:\n==========", "\nssh:\n___"] + connection.map(line)
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
        for setting in arguments.base + arguments.connection {
            all[setting.name] = .dict(setting.document)
        }
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
        let settings = arguments.base + arguments.connection
        var lines: [String] = []
        switch format {
        case .ini:
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
                    lines += ["\(disabled ? ";" : "")\(key)=\(setting.fallback)", ""]
                }
                lines.append("")
            }
        case .env, .vars:
            for setting in settings where format == .env {
                guard let variable = setting.variables.last else { continue }
                let value = setting.type == .flag ? (setting.fallback == "true" ? "1" : "0") : setting.fallback
                lines.append("# \(setting.name)(\(setting.type.name)): \(setting.summary)")
                lines += ["\(disabled ? "#" : "")\(variable)=\(quoted(value))", ""]
            }
        }
        Pager.show(lines.joined(separator: "\n"), configuration)
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
            where name.hasPrefix("ANSIBLE_") && !known.contains(name) {
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
