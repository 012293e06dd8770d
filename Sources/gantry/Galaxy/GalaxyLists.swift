import ArgumentParser
import Machine
import Playbooks
import Values
import YAML

struct GalaxyRoleList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List installed roles.")
    @Argument(help: "Only this one.") var name: String?
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var rolesPath: String?
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        let paths = try GalaxyPaths.roles(rolesPath)
        let folders = paths.filter { Disk.kind($0) == .folder }
        var isFound = false
        for folder in folders {
            let rows = Disk.names(folder).filter { entry in
                (name == nil || name == entry) && Disk.kind("\(folder)/\(entry)") == .folder
                    && ["meta", "tasks"].contains { Disk.kind("\(folder)/\(entry)/\($0)") == .folder }
            }
            if name == nil || !rows.isEmpty { Output.print("# \(folder)") }
            for entry in rows {
                isFound = true
                Output.print("- \(entry), \(GalaxyPaths.version(of: "\(folder)/\(entry)") ?? "(unknown version)")")
            }
        }
        if let name, !isFound { Self.warn("- the role \(name) was not found") }
        for path in paths where Disk.kind(path) != .folder {
            Self.warn("- the configured path \(path) does not exist.")
        }
        if folders.isEmpty {
            throw CommandFailure(
                Diagnostic(
                    "- None of the provided paths were usable. Please specify a valid path with --roles-path"),
                status: 5)
        }
    }

    private static func warn(_ text: String) { Output.printError(Diagnostic(text, severity: .warning).shown) }
}

struct GalaxyRoleRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove installed roles.")
    @Argument(help: "Their names.") var names: [String]
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var rolesPath: String?
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        let folders = try GalaxyPaths.roles(rolesPath)
        for name in names {
            guard !name.contains("/"), name != "..", name != ".",
                let folder = folders.first(where: { Disk.kind("\($0)/\(name)") == .folder })
            else {
                Output.print("- \(name) is not installed, skipping.")
                continue
            }
            // Only what was installed, or is a role by its looks, is taken away.
            let path = "\(folder)/\(name)"
            guard ["meta", "tasks"].contains(where: { Disk.kind("\(path)/\($0)") == .folder }) else {
                throw CommandFailure(Diagnostic("'\(path)' is no role; it is left alone"), status: 1)
            }
            do throws(MachineError) { try LinuxMachine().remove(path) } catch {
                throw CommandFailure(Diagnostic(error.message), status: 1)
            }
            Output.print("- successfully removed \(name)")
        }
    }
}

enum GalaxyListFormat: String, ExpressibleByArgument, CaseIterable { case human, json, yaml }

struct GalaxyCollectionList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List installed collections.")
    @Argument(help: "Only this one.") var name: String?
    @Option(name: [.customShort("p"), .long], help: "Where to look.") var collectionsPath: String?
    @Option(help: "human, json or yaml.") var format: GalaxyListFormat = .human
    @OptionGroup(visibility: .hidden) var servers: GalaxyServerArguments
    @OptionGroup var verbosity: VerbosityArguments

    func run() throws {
        var all = Dict()
        for root in try GalaxyPaths.collections(collectionsPath) {
            let folder = root.hasSuffix("/ansible_collections") ? root : "\(root)/ansible_collections"
            var rows: [(name: String, version: String)] = []
            for space in Disk.names(folder) where Disk.kind("\(folder)/\(space)") == .folder {
                for entry in Disk.names("\(folder)/\(space)") {
                    guard let version = GalaxyPaths.collectionVersion("\(folder)/\(space)/\(entry)") else { continue }
                    if name == nil || name == "\(space).\(entry)" { rows.append(("\(space).\(entry)", version)) }
                }
            }
            guard !rows.isEmpty else { continue }
            guard format == .human else {
                all[.string(Text(folder))] = .dict(
                    Dict(rows.map { ($0.name, ["version": .string($0.version)]) }))
                continue
            }
            let width = max(10, rows.map(\.name.count).max() ?? 0)
            let other = max(7, rows.map(\.version.count).max() ?? 0)
            func padded(_ text: String, _ width: Int) -> String {
                text + String(repeating: " ", count: max(0, width - text.count))
            }
            Output.print("\n# \(folder)")
            Output.print("\(padded("Collection", width)) \(padded("Version", other))")
            Output.print("\(String(repeating: "-", count: width)) \(String(repeating: "-", count: other))")
            for row in rows { Output.print("\(padded(row.name, width)) \(padded(row.version, other))") }
        }
        switch format {
        case .human: break
        case .json: Output.print(Value.dict(all).json())
        case .yaml: Output.put(try yamlText(.dict(all)), 1)
        }
    }
}
