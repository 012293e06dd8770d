import Machine
import Values

/// `package`: packages by whatever package manager the node has.
struct AnyPackage: Action {
    var use = "auto"
    var apt = AptPackages()
    init() {}

    static let schema = Schema<AnyPackage>(
        "package", "Manages packages with the node's own package manager.",
        [Parameter("use", \.use, default: "auto", "The package manager; auto takes the node's own.")]
            + AptPackages.schema.parameters.map { Parameter($0, in: \.apt) },
        options: SchemaOptions(
            requiredOneOf: [["package", "upgrade", "autoremove"]], returns: AptPackages.schema.options.returns,
            examples: """
                - name: A package that has the same name everywhere
                  ansible.builtin.package:
                    name: git
                    state: present
                """, notes: ["Parameters beside name, state and use are those of the package manager's module."],
            hangsOnNode: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        var name = use
        if use == "auto" {
            let source = FactSource(machine: machine, context: context, options: FactOptions())
            name = source.packageManager()["pkg_mgr"]?.text ?? "unknown"
        }
        switch name.split(separator: ".").last.map(String.init) ?? name {
        case "apt": return try apt.run(on: machine, context)
        case "unknown": throw Failure("Could not detect which package manager to use; name it with 'use'")
        default:
            throw Failure(
                "Could not find a matching action for the \"\(name)\" package manager: only apt is supported, "
                    + "run another with the module 'command'")
        }
    }
}

extension Parameter {
    /// A row of another schema, for a part of this subject.
    init<Part: Sendable>(_ row: Parameter<Part>, in path: any WritableKeyPath<Subject, Part> & Sendable) {
        name = row.name
        aliases = row.aliases
        required = row.required
        summary = row.summary
        type = row.type
        choices = row.choices
        isSecret = row.isSecret
        defaultText = row.defaultText
        decode = { (value: Value, subject: inout Subject) throws(ParameterError) in
            try row.decode(value, &subject[keyPath: path])
        }
    }
}
