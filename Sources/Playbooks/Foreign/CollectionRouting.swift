import Values
import YAML

/// What `meta/runtime.yml` of a collection says about names that moved.
package struct CollectionRouting: Sendable {
    private let routing: Dict
    /// Names of groups with what is in them, for `module_defaults`.
    let actionGroups: Dict

    /// - Parameter path: of the file; one that is not there says nothing.
    package init(_ path: String, files: any ProjectFiles) {
        self.init(path, contents: (try? files.contents(of: path)).flatMap { $0 } ?? [])
    }

    package init(_ path: String, contents bytes: [UInt8]) {
        let value = bytes.isEmpty ? nil : try? YAMLReader.value(String(decoding: bytes, as: UTF8.self), name: path)
        routing = value?["plugin_routing"]?.dict ?? Dict()
        actionGroups = value?["action_groups"]?.dict ?? Dict()
    }

    /// The new name; `nil` where it did not move.
    package func redirect(_ kind: String, _ name: String) -> String? { routing[kind]?[name]?["redirect"]?.text }

    /// The action plugin that runs a module.
    func action(of module: String) -> String? { routing["modules"]?[module]?["action_plugin"]?.text }

    /// Why the name is gone.
    func tombstone(_ kind: String, _ name: String) -> String? {
        guard let tombstone = routing[kind]?[name]?["tombstone"] else { return nil }
        return tombstone["warning_text"]?.text ?? "it was removed"
    }
}
