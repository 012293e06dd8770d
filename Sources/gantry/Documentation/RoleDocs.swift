import Playbooks
import Values
import YAML

/// What roles say of their arguments: `meta/argument_specs.yml`, or `argument_specs` in `meta/main.yml`.
struct RoleDocs {
    struct Role {
        var name: String
        var path: String
        var collection: String?
        var entries: [(name: String, spec: Dict)]

        var listed: Value {
            let rows = entries.map { ($0.name, $0.spec["short_description"] ?? "") }
            return ["description": "UNDOCUMENTED", "entry_points": .dict(Dict(rows))]
        }
        /// - Parameter entry: only this entry point.
        func document(_ entry: String?) -> Value {
            let rows = entries.filter { entry == nil || $0.name == entry }.map { ($0.name, Value.dict($0.spec)) }
            return [
                "collection": collection.map { .string($0) } ?? .null, "entry_points": .dict(Dict(rows)),
                "path": .string(path),
            ]
        }
    }

    let configuration: Configuration
    let folder: String
    let rolesPath: [String]

    /// Those with arguments, in the order of their names.
    func all() throws(Diagnostic) -> [Role] {
        var roles: [Role] = []
        var seen: Set<String> = []
        let own = rolesPath + ["\(folder)/roles"] + configuration.paths(.rolesPath, separator: ":") + [folder]
        var places: [(root: String, collection: String?)] = own.map { (Disk.absolute($0), nil) }
        for root in configuration.paths(.collectionsPath, separator: ":").map(Disk.absolute) {
            for namespace in Disk.names("\(root)/ansible_collections").sorted() {
                for name in Disk.names("\(root)/ansible_collections/\(namespace)").sorted() {
                    places.append(
                        ("\(root)/ansible_collections/\(namespace)/\(name)/roles", "\(namespace).\(name)"))
                }
            }
        }
        for (root, collection) in places {
            for name in Disk.names(root).sorted() {
                let full = collection.map { "\($0).\(name)" } ?? name
                guard let entries = try Self.entries("\(root)/\(name)"), seen.insert(full).inserted else { continue }
                roles.append(Role(name: full, path: "\(root)/\(name)", collection: collection, entries: entries))
            }
        }
        return roles.sorted { $0.name < $1.name }
    }

    private static func entries(_ role: String) throws(Diagnostic) -> [(name: String, spec: Dict)]? {
        for file in ["argument_specs.yml", "argument_specs.yaml", "main.yml", "main.yaml"] {
            let path = "\(role)/meta/\(file)"
            guard Disk.kind(path) == .file, let bytes = try Disk.contents(path) else { continue }
            let value = try YAMLReader.value(String(decoding: bytes, as: UTF8.self), name: path)
            guard let specs = value["argument_specs"]?.dict else { continue }
            return specs.map { ($0.key.pythonText, $0.value.dict ?? Dict()) }.sorted { $0.0 < $1.0 }
        }
        return nil
    }
}
