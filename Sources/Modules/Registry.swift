package import Machine
package import Values

/// Every module, by its name. A new module adds one line to `all`.
package enum Registry {
    package static let all: [ModuleEntry] = [
        ModuleEntry(AddHost.self),
        ModuleEntry(AnyPackage.self),
        ModuleEntry(AnyService.self),
        ModuleEntry(AptPackages.self),
        ModuleEntry(AssembleFile.self),
        ModuleEntry(AssertThat.self),
        ModuleEntry(AsyncStatus.self),
        ModuleEntry(CopyFiles.self),
        ModuleEntry(CronEntry.self),
        ModuleEntry(DebugText.self),
        ModuleEntry(EditBlock.self),
        ModuleEntry(EditLine.self),
        ModuleEntry(FailNow.self),
        ModuleEntry(FetchFile.self),
        ModuleEntry(FetchURL.self),
        ModuleEntry(FindFiles.self),
        ModuleEntry(GatherFacts.self, aliases: ["gather_facts"]),
        ModuleEntry(GetEntries.self),
        ModuleEntry(GroupAccount.self),
        ModuleEntry(GroupBy.self),
        ModuleEntry(HostName.self),
        ModuleEntry(HostKeys.self),
        ModuleEntry(ImportPlaybook.self),
        ModuleEntry(ImportRole.self),
        ModuleEntry(ImportTasks.self),
        ModuleEntry(IncludeRole.self),
        ModuleEntry(IncludeTasks.self),
        ModuleEntry(IncludeVars.self),
        ModuleEntry(MakeTemporary.self),
        ModuleEntry(ManageFile.self),
        ModuleEntry(MetaAction.self),
        ModuleEntry(PackageFacts.self),
        ModuleEntry(PausePlay.self),
        ModuleEntry(Ping.self),
        ModuleEntry(PutTemplate.self),
        ModuleEntry(ReadFile.self),
        ModuleEntry(ReadStatus.self),
        ModuleEntry(ReplaceText.self),
        ModuleEntry(RequestURI.self),
        ModuleEntry(RunCommand.self),
        ModuleEntry(RunRaw.self),
        ModuleEntry(RunScript.self),
        ModuleEntry(RunShell.self),
        ModuleEntry(ServiceFacts.self),
        ModuleEntry(SetFact.self),
        ModuleEntry(SetStats.self),
        ModuleEntry(SystemdUnit.self, aliases: ["systemd"]),
        ModuleEntry(UserAccount.self),
        ModuleEntry(WaitFor.self),
        ModuleEntry(WaitForConnection.self),
    ]

    /// By the short name or the full one (`ansible.builtin.file`, `ansible.legacy.file`).
    package static func entry(_ name: String) -> ModuleEntry? { byName[shortName(name)] }

    package static func shortName(_ name: String) -> String {
        for prefix in ["ansible.builtin.", "ansible.legacy."] where name.hasPrefix(prefix) {
            return String(name.dropFirst(prefix.count))
        }
        return name
    }

    /// The module's name as ansible-core shows it.
    package static func fullName(_ name: String) -> String { name.contains(".") ? name : "ansible.builtin." + name }

    private static let byName: [String: ModuleEntry] = {
        var map: [String: ModuleEntry] = [:]
        for entry in all { for name in [entry.name] + entry.aliases { map[name] = entry } }
        return map
    }()
}

/// A module without its type: what the loader checks, the engine runs, and `gantry doc` prints.
package struct ModuleEntry: Sendable {
    package let name: String
    package let aliases: [String]
    package let summary: String
    package let parameters: [ParameterInfo]
    package let options: SchemaOptions
    package let kind: Kind
    /// Decodes the arguments and throws them away: `nil`, or what is wrong.
    package let check: @Sendable (Dict) -> ArgumentError?
    /// Decodes and runs. A directive has none.
    package let run: (@Sendable (Dict, any MachineEditor, Context) throws(Failure) -> Outcome)?

    package enum Kind: Sendable { case resource, action, directive }

    package init<M: Resource>(_ type: M.Type, aliases: [String] = []) {
        self.init(type, aliases, .resource) { (arguments, machine, context) throws(Failure) in
            try converge(try M.decoded(arguments), on: machine, context)
        }
    }

    package init<M: Action>(_ type: M.Type, aliases: [String] = []) {
        self.init(type, aliases, .action) { (arguments, machine, context) throws(Failure) in
            try act(try M.decoded(arguments), on: machine, context)
        }
    }

    package init<M: Directive>(_ type: M.Type, aliases: [String] = []) {
        self.init(type, aliases, .directive, run: nil)
    }

    private init<M: Module>(
        _ type: M.Type, _ aliases: [String], _ kind: Kind,
        run: (@Sendable (Dict, any MachineEditor, Context) throws(Failure) -> Outcome)?
    ) {
        let schema = M.schema
        name = schema.name
        self.aliases = aliases
        summary = schema.summary
        options = schema.options
        self.kind = kind
        self.run = run
        parameters = schema.parameters.map(ParameterInfo.init)
        check = { arguments in
            do throws(ArgumentError) {
                _ = try M.decode(arguments)
                return nil
            } catch { return error }
        }
    }
}

/// A parameter as documentation and completion need it.
package struct ParameterInfo: Sendable, Hashable {
    package let name: String
    package let aliases: [String]
    package let required: Bool
    package let summary: String
    package let type: String
    package let choices: [String]
    package let defaultText: String?
    package let isSecret: Bool

    init<Subject>(_ row: Parameter<Subject>) {
        name = row.name
        aliases = row.aliases
        required = row.required
        summary = row.summary
        type = row.type
        choices = row.choices
        defaultText = row.defaultText
        isSecret = row.isSecret
    }
}

/// Arguments that do not fit a schema.
package struct ArgumentError: Error, Sendable, Hashable {
    /// The parameter as the user wrote it; `nil` when one is missing.
    package let parameter: String?
    package let message: String
    package let hint: String?
    /// What ansible-core says of it when the task runs.
    package let told: String
    package init(parameter: String?, message: String, hint: String? = nil, told: String? = nil) {
        self.parameter = parameter
        self.message = message
        self.hint = hint
        self.told = told ?? message
    }
}

extension Module {
    static func decoded(_ arguments: Dict) throws(Failure) -> Self {
        do { return try decode(arguments) } catch {
            throw Failure(error.told)
        }
    }

    /// The module with its parameters set from `arguments`, by name or alias.
    package static func decode(_ arguments: Dict) throws(ArgumentError) -> Self {
        let schema = schema
        var subject = Self()
        var given: Set<String> = []
        for (key, value) in arguments {
            let name = key.pythonText
            guard let row = schema.parameters.first(where: { $0.name == name || $0.aliases.contains(name) }) else {
                if schema.options.acceptsAny { continue }
                let known = schema.parameters.flatMap { [$0.name] + $0.aliases }
                throw ArgumentError(
                    parameter: name, message: "module '\(schema.name)' has no parameter '\(name)'",
                    hint: suggestion(for: name, among: known), told: unsupported(arguments, schema))
            }
            if !value.isNull { given.insert(row.name) }
            do throws(ParameterError) { try row.decode(value, &subject) } catch {
                let shown = row.isSecret || value.holdsSecret ? "(hidden)" : value.json(JSONStyle(asciiOnly: false))
                throw ArgumentError(
                    parameter: name,
                    message: "parameter '\(name)' of module '\(schema.name)' is \(shown), expected \(error.expected)",
                    told: unfit(row, value, error.expected))
            }
        }
        try checkRelations(given, schema)
        return subject
    }

    private static func unsupported(_ arguments: Dict, _ schema: Schema<Self>) -> String {
        let known = Set(schema.parameters.flatMap { [$0.name] + $0.aliases })
        if let told = arguments.names.lazy.compactMap({ schema.options.refused[$0] }).first { return told }
        let wrong = arguments.names.filter { !known.contains($0) }.sorted().joined(separator: ", ")
        let rows = schema.parameters.map { row in
            row.aliases.isEmpty ? row.name : "\(row.name) (\(row.aliases.sorted().joined(separator: ", ")))"
        }
        return "Unsupported parameters for (\(schema.name)) module: \(wrong). Supported parameters include: "
            + rows.sorted().joined(separator: ", ") + "."
    }

    private static func unfit(_ row: Parameter<Self>, _ value: Value, _ expected: String) -> String {
        let isSecret = row.isSecret || value.holdsSecret
        if !row.choices.isEmpty {
            let which = row.type.hasPrefix("list") ? "one or more of" : "one of"
            return "value of \(row.name) must be \(which): \(row.choices.joined(separator: ", ")), got: "
                + (isSecret ? "(hidden)" : value.pythonText)
        }
        return "argument '\(row.name)' is of type \(typeName(of: value)) and we were unable to convert to "
            + "\(row.type): \(isSecret ? "(hidden)" : value.pythonRepr), expected \(expected)"
    }

    private static func checkRelations(_ given: Set<String>, _ schema: Schema<Self>) throws(ArgumentError) {
        for row in schema.parameters where row.required && !given.contains(row.name) {
            let missing = schema.parameters.filter { $0.required && !given.contains($0.name) }.map(\.name)
            throw ArgumentError(
                parameter: nil, message: "module '\(schema.name)' needs parameter '\(row.name)'",
                told: schema.options.missing
                    ?? "missing required arguments: \(missing.sorted().joined(separator: ", "))")
        }
        for names in schema.options.mutuallyExclusive where given.intersection(names).count > 1 {
            throw ArgumentError(
                parameter: names.first { given.contains($0) },
                message: "parameters of module '\(schema.name)' exclude each other: \(names.joined(separator: ", "))",
                told: "parameters are mutually exclusive: \(names.joined(separator: "|"))")
        }
        for names in schema.options.requiredOneOf where given.intersection(names).isEmpty {
            throw ArgumentError(
                parameter: nil, message: "module '\(schema.name)' needs one of: \(names.joined(separator: ", "))",
                told: schema.options.noneGiven
                    ?? "one of the following is required: \(names.joined(separator: ", "))")
        }
        for names in schema.options.requiredTogether {
            let found = given.intersection(names)
            if !found.isEmpty && found.count < names.count {
                throw ArgumentError(
                    parameter: names.first { given.contains($0) },
                    message: "parameters of module '\(schema.name)' go together: \(names.joined(separator: ", "))",
                    told: "parameters are required together: \(names.joined(separator: ", "))")
            }
        }
    }
}

/// Python's name of the value's type.
func typeName(of value: Value) -> String {
    switch value {
    case .null: "NoneType"
    case .bool: "bool"
    case .int, .big: "int"
    case .double: "float"
    case .string: "str"
    case .list: "list"
    case .dict: "dict"
    }
}

extension Value {
    /// Whether any string in it is secret.
    package var holdsSecret: Bool {
        var found = false
        forEachText { found = found || $0.isSecret }
        return found
    }
}
