import Values
import YAML

/// A YAML file with a key `plugin`: the settings of something that makes hosts or groups.
struct PluginFile {
    let source: InventorySource
    let plugin: String
    private let node: Node
    private let settings: Dict

    init(_ text: SourceText, _ source: InventorySource, _ options: InventoryOptions) throws(Diagnostic) {
        // Most files are none: what does not even hold the word need not be read twice.
        guard text.text.contains("plugin") else { throw Diagnostic("'\(source.name)' has no 'plugin' key") }
        let node = try YAMLReader.document(text.text, file: text.file).node
        guard let node, !node.isNull else { throw Diagnostic("'\(source.name)' is empty") }
        guard let plugin = node["plugin"] else {
            throw node.diagnostic("no 'plugin' key at the root", hint: "for instance 'plugin: constructed'")
        }
        self.source = source
        self.node = node
        self.plugin = plugin.text ?? plugin.kindName
        let value = text.marked(try node.value(ValueOptions(decrypt: options.decrypt)))
        settings = value.dict ?? Dict()
    }

    /// Whether a line of the text begins with `plugin:`.
    static func looksLikeOne(_ text: String) -> Bool {
        text.split(separator: "\n").contains { $0.hasPrefix("plugin:") }
    }

    subscript(_ key: String) -> Value? { settings[key].flatMap { $0.isNull ? nil : $0 } }

    /// A setting that is `true` or `false`.
    func flag(_ key: String) throws(Diagnostic) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.asBool else { throw error("'\(key)' is true or false", at: key) }
        return flag
    }

    /// An error about one setting, at its place.
    func error(_ message: String, at key: String, hint: String? = nil) -> Diagnostic {
        (node[key] ?? node).diagnostic(message, hint: hint)
    }

    var unknownPlugin: Diagnostic {
        error(
            "the inventory plugin '\(plugin)' does not exist here", at: "plugin",
            hint: suggestion(for: plugin, among: ["constructed", "generator"])
                ?? "ansible-inventory -i \(source.name) --list --yaml --export writes what can be read")
    }

    func otherPlugin(_ wanted: String) -> Diagnostic {
        error("Incorrect plugin name in file: \(plugin)", at: "plugin", hint: "this is read as '\(wanted)'")
    }
}
