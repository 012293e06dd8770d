import Playbooks
import Values

extension Setting {
    static let library = Setting(
        "DEFAULT_MODULE_PATH", ["defaults.library"], ["ANSIBLE_LIBRARY"],
        "~/.ansible/plugins/modules:/usr/share/ansible/plugins/modules",
        "where modules are that are not built in, separated by colons", type: .pathSpec)
    static let moduleUtilities = Setting(
        "DEFAULT_MODULE_UTILS_PATH", ["defaults.module_utils"], ["ANSIBLE_MODULE_UTILS"],
        "~/.ansible/plugins/module_utils:/usr/share/ansible/plugins/module_utils",
        "what such modules may import, separated by colons", type: .pathSpec)
    static let actionPlugins = Setting(
        "DEFAULT_ACTION_PLUGIN_PATH", ["defaults.action_plugins"], ["ANSIBLE_ACTION_PLUGINS"],
        "~/.ansible/plugins/action:/usr/share/ansible/plugins/action",
        "where action plugins in Python are, separated by colons", type: .pathSpec)
    static let interpreterPython = Setting(
        "INTERPRETER_PYTHON", ["defaults.interpreter_python"], ["ANSIBLE_PYTHON_INTERPRETER"], "auto",
        "the Python of nodes for modules written in it, or auto")

    static let filterPlugins = Setting(
        "DEFAULT_FILTER_PLUGIN_PATH", ["defaults.filter_plugins"], ["ANSIBLE_FILTER_PLUGINS"],
        "~/.ansible/plugins/filter:/usr/share/ansible/plugins/filter", "where filters in Python are",
        type: .pathSpec)
    static let testPlugins = Setting(
        "DEFAULT_TEST_PLUGIN_PATH", ["defaults.test_plugins"], ["ANSIBLE_TEST_PLUGINS"],
        "~/.ansible/plugins/test:/usr/share/ansible/plugins/test", "where tests in Python are", type: .pathSpec)

    static let privateRoleVariables = Setting(
        "DEFAULT_PRIVATE_ROLE_VARS", ["defaults.private_role_vars"], ["ANSIBLE_PRIVATE_ROLE_VARS"], "false",
        "roles keep their variables from the rest of the play", type: .flag)
    static let validatesGroups = Setting(
        "VALIDATE_ACTION_GROUP_METADATA", ["defaults.validate_action_group_metadata"],
        ["ANSIBLE_VALIDATE_ACTION_GROUP_METADATA"], "true", "warn of what is odd in a collection's action groups",
        type: .flag)

    static let debugging = Setting(
        "DEFAULT_DEBUG", ["defaults.debug"], ["ANSIBLE_DEBUG"], "false", "tell of implicit tasks, too", type: .flag)

    static let lookupPlugins = Setting(
        "DEFAULT_LOOKUP_PLUGIN_PATH", ["defaults.lookup_plugins"], ["ANSIBLE_LOOKUP_PLUGINS"],
        "~/.ansible/plugins/lookup:/usr/share/ansible/plugins/lookup", "where lookups in Python are", type: .pathSpec)

    static let content: [Setting] = [
        debugging, privateRoleVariables, validatesGroups, library, moduleUtilities, actionPlugins, filterPlugins,
        testPlugins, lookupPlugins, interpreterPython,
    ]
}

extension Configuration {
    /// Where modules and collections are looked for.
    var contentPaths: ContentPaths {
        var content = ContentPaths()
        func folders(_ setting: Setting) -> [String] { paths(setting, separator: ":").map(Disk.absolute) }
        content.modules = folders(.library)
        content.moduleUtilities = folders(.moduleUtilities)
        content.actions = folders(.actionPlugins)
        content.collections = folders(.collectionsPath)
        content.checksActionGroups = flag(.validatesGroups)
        let core = AnsibleInstallation(environment, collections: content.collections)
        content.core = core.folder
        content.searchedForCore = core.searched
        // Those that PyPI's package `ansible` brings are beside the core's.
        if let folder = core.folder { content.collections.append(Disk.folder(of: folder)) }
        return content
    }
}

/// The ansible-core on this machine, whose `module_utils` Python modules are made of. Only looked at, never run.
struct AnsibleInstallation {
    /// The folder of its package `ansible`; `nil` when there is none.
    let folder: String?
    let searched: [String]

    init(_ environment: [String: String], collections: [String]) {
        var places: [String] = []
        if let given = environment["GANTRY_ANSIBLE_CORE"], !given.isEmpty {
            let name = Disk.absolute(given)
            places = [name, Disk.folder(of: name)] + Self.sitePackages(name)
        } else {
            if let venv = environment["VIRTUAL_ENV"] { places += Self.sitePackages(venv) }
            places += Self.besidePrograms(environment)
            places += environment["PYTHONPATH"]?.split(separator: ":").map(String.init) ?? []
            if let home = environment["HOME"] {
                places += Self.sitePackages("\(home)/.local")
                for name in ["ansible", "ansible-core"] {
                    places += Self.sitePackages("\(home)/.local/share/pipx/venvs/\(name)")
                    places += Self.sitePackages("\(home)/.local/pipx/venvs/\(name)")
                }
            }
            places += Self.sitePackages("/usr/local") + Self.sitePackages("/usr") + collections
        }
        searched = places
        folder = places.map { "\($0)/ansible" }.first { Disk.kind("\($0)/module_utils/basic.py") == .file }
    }

    /// Folders of packages below a prefix, the newest Python's first.
    private static func sitePackages(_ prefix: String) -> [String] {
        let versions = Disk.names("\(prefix)/lib").filter { $0.hasPrefix("python3") }.sorted {
            ($0.utf8.count, $0) > ($1.utf8.count, $1)
        }
        return versions.flatMap { version in
            ["site-packages", "dist-packages"].map { "\(prefix)/lib/\(version)/\($0)" }
        }.filter { Disk.kind($0) == .folder }
    }

    /// The `#!` line of an installed `ansible-playbook` names the Python that it is installed for.
    private static func besidePrograms(_ environment: [String: String]) -> [String] {
        for folder in environment["PATH"]?.split(separator: ":").map(String.init) ?? [] {
            for name in ["ansible-playbook", "ansible"] {
                let path = "\(folder)/\(name)"
                guard Disk.kind(path) == .file, let head = try? Disk.contents(path)?.prefix(256),
                    head.starts(with: "#!".utf8)
                else { continue }
                let line = String(decoding: head.dropFirst(2), as: UTF8.self).prefix { !$0.isNewline }
                let program = line.split(separator: " ").first.map(String.init) ?? ""
                guard lastPart(of: program).hasPrefix("python") else { continue }
                return sitePackages(Disk.folder(of: Disk.folder(of: program)))
            }
        }
        return []
    }
}
