package import Values

/// What names mean where a template is evaluated.
package protocol Scope {
    /// The variable's value, not yet rendered; `nil` when undefined.
    ///
    /// Texts in it whose mark says template are rendered lazily, in this scope, when the template reads them.
    func value(of name: String) throws(TemplateError) -> Value?
    /// Objects that are asked member by member (`hostvars`, `vars`, …).
    func object(named name: String) -> (any TemplateObject)?
    /// All names: for suggestions and `vars`.
    var names: [String] { get }
    /// Runs a lookup plugin; the list of its results.
    func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value]
    /// Runs a filter or test that reads variables of this scope.
    func plugin(
        _ kind: PluginKind, _ name: String, _ arguments: [Value], _ named: Dict
    ) throws(TemplateError) -> Value
    /// Whether a lookup may be given what has no value, as an `AbsentValue`.
    func acceptsUndefined(lookup: String) -> Bool
    /// The text of a template named in `include`, `import` and `extends`; `nil` when there is none.
    func template(named name: String) throws(TemplateError) -> Text?
    /// What templates may see of the machine that evaluates them.
    var world: World { get }
}

extension Scope {
    package func object(named name: String) -> (any TemplateObject)? { nil }
    package func plugin(
        _ kind: PluginKind, _ name: String, _ arguments: [Value], _ named: Dict
    ) throws(TemplateError) -> Value {
        throw TemplateError("\(kind.rawValue) '\(name)' reads the variables of a task, and there is none here")
    }
    package func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        throw TemplateError("lookup '\(plugin)' is not available here")
    }
    package func acceptsUndefined(lookup: String) -> Bool { false }
    package func template(named name: String) throws(TemplateError) -> Text? { nil }
    package var world: World { World() }
}

/// A value too large or too lazy to be copied: asked member by member.
package protocol TemplateObject {
    /// The member, not yet rendered; `nil` when there is none.
    func member(_ key: Value) throws(TemplateError) -> Value?
    /// A member that is such an object again (`hostvars['web']`); asked first.
    func object(_ key: Value) throws(TemplateError) -> (any TemplateObject)?
    var keys: [Value] { get throws(TemplateError) }
}

extension TemplateObject {
    package func object(_ key: Value) throws(TemplateError) -> (any TemplateObject)? { nil }
}

/// A scope over plain variables.
package struct DictScope: Scope {
    package var variables: Dict
    package var world: World
    /// Runs lookup plugins, where there is something that can.
    package var lookups: Lookups?
    package typealias Lookups = @Sendable (String, [Value], Dict) throws(TemplateError) -> [Value]

    package init(_ variables: Dict, world: World = World(), lookups: Lookups? = nil) {
        self.variables = variables
        self.world = world
        self.lookups = lookups
    }
    package func value(of name: String) throws(TemplateError) -> Value? { variables[name] }
    package var names: [String] { variables.names }
    package func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        guard let lookups else { throw TemplateError("lookup '\(plugin)' is not available here") }
        return try lookups(plugin, terms, options)
    }
}

/// A template that cannot be read or evaluated.
package struct TemplateError: Error, Sendable {
    package var diagnostic: Diagnostic
    /// The name that has no value, where that is what is wrong.
    package var undefinedName: String?
    /// A loop in the template itself or a limit: never to be caught by the language.
    package var isLimit = false
    /// The error as ansible-core words it, where a result's `msg` is to say more than the diagnostic's message.
    package var words: String?

    package init(_ message: String, hint: String? = nil, undefinedName: String? = nil, words: String? = nil) {
        diagnostic = Diagnostic(message, hint: hint)
        self.undefinedName = undefinedName
        self.words = words
    }

    package init(_ diagnostic: Diagnostic, undefinedName: String? = nil) {
        self.diagnostic = diagnostic
        self.undefinedName = undefinedName
    }

    package var message: String { diagnostic.message }

    /// Whether something has no value; all else is a mistake of the template.
    package var isUndefined: Bool { undefinedName != nil }

    /// What a result's `msg` says: playbooks compare it.
    package var told: String { words ?? message }

    /// Worded as ansible-core does, unless that has been done closer to the mistake.
    package func worded(_ words: (String) -> String) -> TemplateError {
        guard self.words == nil, !isUndefined else { return self }
        var copy = self
        copy.words = words(message)
        return copy
    }

    func noting(_ note: String) -> TemplateError {
        var copy = self
        if !copy.diagnostic.notes.contains(note) { copy.diagnostic.notes.append(note) }
        return copy
    }
}

/// What keeps a template from running away.
package struct Limits: Sendable {
    /// Variables rendered inside variables, macros inside macros, includes inside includes.
    package var depth: Int
    /// Rounds of all loops of one rendering together, and the length of a `range`.
    package var iterations: Int
    /// Bytes of one result.
    package var outputBytes: Int

    package init(depth: Int = 100, iterations: Int = 2_000_000, outputBytes: Int = 64 << 20) {
        self.depth = depth
        self.iterations = iterations
        self.outputBytes = outputBytes
    }
}

/// How a template file is to be read: the parameters of the `template` module and of `#jinja2:` headers.
package struct FileOptions: Sendable, Hashable {
    package var blockStart = "{%"
    package var blockEnd = "%}"
    package var variableStart = "{{"
    package var variableEnd = "}}"
    package var commentStart = "{#"
    package var commentEnd = "#}"
    package var lineStatementPrefix: String?
    package var lineCommentPrefix: String?
    package var trimBlocks = true
    package var lstripBlocks = false
    package var newline = "\n"
    package var keepTrailingNewline = false
    /// Backslashes in string literals of `{{ }}` stand for themselves, as in YAML; not in template files.
    package var literalBackslashes = false

    package init() {}
}
