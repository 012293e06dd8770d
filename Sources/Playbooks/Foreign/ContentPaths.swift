/// Where content that is not built in is looked for: modules, their support code, plugins, collections.
package struct ContentPaths: Sendable {
    /// `library`: folders of modules.
    package var modules: [String] = []
    /// `module_utils`: what modules may import.
    package var moduleUtilities: [String] = []
    package var actions: [String] = []
    /// Folders that hold `ansible_collections`.
    package var collections: [String] = []
    /// Folder of the Python package `ansible` of an installed ansible-core.
    package var core: String?
    /// Whether what is odd in a collection's action groups is warned of.
    package var checksActionGroups = true
    /// Where ansible-core was looked for, to be told when it is needed.
    package var searchedForCore: [String] = []
    package init() {}

    /// A collection by its two words in this order of folders; those beside the playbook come first.
    package func collectionFolders(_ namespace: String, _ name: String, besides playFolder: String) -> [String] {
        // ansible-core has one of its own.
        let own = core.map { [joined($0, "_internal")] } ?? []
        return ([joined(playFolder, "collections")] + collections + own).map { root in
            let base = lastPart(of: root) == "ansible_collections" ? root : joined(root, "ansible_collections")
            return "\(base)/\(namespace)/\(name)"
        }
    }
}
