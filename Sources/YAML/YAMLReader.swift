package import Values

/// Reads YAML text.
package enum YAMLReader {
    /// All documents of the text, and warnings (duplicate keys).
    package static func documents(
        _ text: String, file: SourceFile
    ) throws(Diagnostic) -> (nodes: [Node], warnings: [Diagnostic]) {
        guard let parser = EventParser(text) else { throw Diagnostic("no memory to read '\(file.name)'") }
        var composer = Composer(parser: parser, text: text, file: file)
        let nodes = try composer.documents()
        return (nodes, composer.warnings)
    }

    /// The one document of the text; `nil` when there is none. A second one is an error.
    package static func document(
        _ text: String, file: SourceFile
    ) throws(Diagnostic) -> (node: Node?, warnings: [Diagnostic]) {
        let (nodes, warnings) = try documents(text, file: file)
        if nodes.count > 1 {
            throw Diagnostic(
                "a second document in '\(file.name)', where one is expected", at: nodes[1].place,
                hint: "remove the '---' above it, or put it into a file of its own")
        }
        return (nodes.first, warnings)
    }

    /// The value of text that came from elsewhere (`from_yaml`): never a template. Empty text is null.
    package static func value(_ text: String, name: String) throws(Diagnostic) -> Value {
        let node = try document(text, file: SourceFile(name: name, text: text)).node
        return try node?.value(ValueOptions(trusted: false)) ?? .null
    }

    /// The values of all documents (`from_yaml_all`).
    package static func values(_ text: String, name: String) throws(Diagnostic) -> [Value] {
        var values: [Value] = []
        for node in try documents(text, file: SourceFile(name: name, text: text)).nodes {
            values.append(try node.value(ValueOptions(trusted: false)))
        }
        return values
    }
}
