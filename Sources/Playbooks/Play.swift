package import Values
package import Wire

/// A play as it was written, checked, with everything static expanded: the same for every host.
package struct Play: Sendable {
    /// May hold templates.
    package var name: Text
    package var place: Place
    /// Somebody gave it a name; otherwise its name is its pattern.
    package var hasName = true
    /// The file that the play is in.
    package var path: String
    /// The pattern; may hold templates.
    package var hosts: Value
    package var keywords: Dict
    package var variables: Dict
    package var variableFiles: [Value]
    package var prompts: [Dict]
    package var steps: [Step] = []
    package var handlers: [Step] = []
    package var roles: [RolePlan] = []
    package var bases: [SearchBasis] = []
    package var taskFiles: [FileRequest: TaskFile] = [:]
    package var dynamicRoles: [String: RoleFile] = [:]
    /// Any template in the play reads `hostvars`.
    package var readsHostVariables = false
    /// A task in it adds hosts or groups.
    package var changesInventory = false
    /// Errors that are told when the play has its turn.
    package var problems: [Diagnostic] = []
    /// Names of the roles that the play names, for `ansible_play_role_names`.
    package var roleNames: [String] = []
    /// Names of the roles that those depend on.
    package var dependencyNames: [String] = []

    package init(
        name: Text, place: Place, path: String, hosts: Value, keywords: Dict, variables: Dict,
        variableFiles: [Value] = [], prompts: [Dict] = []
    ) {
        self.name = name
        self.place = place
        self.path = path
        self.hosts = hosts
        self.keywords = keywords
        self.variables = variables
        self.variableFiles = variableFiles
        self.prompts = prompts
    }

    package var folder: String { Playbooks.folder(of: path) }
}

/// What a key that is written twice in a mapping is.
package enum DuplicateKeys: String, Sendable { case error, warn, ignore }

/// How the loader works: paths and settings from `ansible.cfg` and the environment.
package struct LoaderOptions: Sendable {
    package var rolePaths: [String]
    /// `private_role_vars`, where it is set: roles do or do not show their variables to the rest of the play.
    package var hidesRoleVariables: Bool?
    /// A notification that no handler answers to is no error.
    package var forgivesMissingHandlers = false
    /// What is wrong with a task behind a condition is told when the task runs, as Ansible does.
    package var leavesConditionalErrors = false
    /// Keywords that an include has no use for are passed over, with a warning.
    package var forgivesUnknownKeywords = false
    package var duplicateKeys = DuplicateKeys.warn
    package var home: String?
    /// `gathering = implicit | explicit | smart`.
    package var gathering: String
    package var extra: Dict
    /// Where modules and plugins are that are not built in.
    package var content = ContentPaths()
    package init(rolePaths: [String] = [], home: String? = nil, gathering: String = "implicit", extra: Dict = Dict()) {
        self.rolePaths = rolePaths
        self.home = home
        self.gathering = gathering
        self.extra = extra
    }
}
