import Glibc
import Machine
import Playbooks
import Values

/// Where roles and collections are, and what is known of them.
enum GalaxyPaths {
    static func configuration() throws(CommandFailure) -> Configuration {
        do throws(Diagnostic) {
            return try Configuration(environment: Configuration.processEnvironment())
        } catch { throw CommandFailure(error, status: 1) }
    }

    static func roles(_ given: String?) throws(CommandFailure) -> [String] {
        let configuration = try configuration()
        return before(given, configuration.paths(.rolesPath, separator: ":"), configuration)
    }

    static func collections(_ given: String?) throws(CommandFailure) -> [String] {
        let configuration = try configuration()
        return before(given, configuration.paths(.collectionsPath, separator: ":"), configuration)
    }

    /// What a command line names goes before what the settings do.
    private static func before(_ given: String?, _ known: [String], _ configuration: Configuration) -> [String] {
        var seen: Set<String> = []
        let own = (given ?? "").split(separator: ":").map { configuration.expanded(String($0)) }
        return (own + known).map(Disk.absolute).filter { seen.insert($0).inserted }
    }

    /// An empty folder where what is installed waits for its place: beside it, so that a rename puts it there.
    static func scratch(in target: String) throws(CommandFailure) -> String {
        let machine = LinuxMachine()
        let scratch = "\(target)/.gantry-galaxy-\(getpid())"
        try Output.makeFolders(target)
        try CommandFailure.attempt { () throws(MachineError) in
            try machine.remove(scratch)
            try machine.makeFolder(scratch, mode: 0o700)
        }
        return scratch
    }

    /// As the installer noted it.
    static func version(of role: String) -> String? {
        guard let bytes = try? Disk.contents("\(role)/meta/.galaxy_install_info") else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("version:") {
            let version = line.dropFirst(8).trimmed
            return ["", "null", "''"].contains(version) ? nil : version
        }
        return nil
    }

    static func collectionVersion(_ folder: String) -> String? {
        guard Disk.kind(folder) == .folder else { return nil }
        if let bytes = try? Disk.contents("\(folder)/MANIFEST.json"),
            let manifest = try? Value(json: String(decoding: bytes, as: UTF8.self))
        {
            return manifest["collection_info"]?["version"]?.pythonText
        }
        guard Disk.kind("\(folder)/galaxy.yml") == .file else { return nil }
        return (try? GalaxySource.mapping("\(folder)/galaxy.yml"))?["version"]?.pythonText ?? "*"
    }
}
