import Values
import Wire

/// One message of every kind, with every field set.
enum Samples {
    static let place = Place(file: SourceFile(name: "roles/web/tasks/main.yml"), line: 14, column: 7)
    static let template = Value.string(Text("{{ port }}", mark: Mark(place: place, isTemplate: true)))
    static let secret = Value.string(Text("hush", mark: Mark(place: place, isSecret: true)))
    static let dict: Dict = [
        "text": "ünïcode ☃\u{0}", "template": template, "secret": secret,
        "numbers": [1, -1, .int(.max), .int(.min)],
        "double": .double(2.5), "nothing": .null, "yes": true, "no": false, "inner": ["deep": [["list": []]]],
    ]
    static let diagnostic = Diagnostic(
        "'listen_prot' is undefined", at: place, length: 11, hint: "did you mean 'listen_port'?", notes: ["on 'web'"])
    static let basis = SearchBasis(roles: ["roles/web"], taskFolder: "roles/web/tasks", playFolder: ".")
    static let info = TaskInfo(
        name: "web : edit", module: "template", place: place, isHandler: true, isImplicit: true, tags: ["a"])
    static let position = Position([0, 3, 1 << 40])
    static let result = TaskResult(
        status: .failed, result: dict, diff: [["before": "a", "after": "b"]], label: "one", isHidden: true,
        diagnostic: diagnostic, warnings: ["careful"], isFatalToAll: true, delegate: "db")
    static let entry = FileEntry(
        path: "files/a", digest: "00ff", size: 3, mode: 0o644, contents: [1, 2, 3], isSecret: true,
        children: [FileEntry(path: "files/a/b", digest: "", size: 0, mode: 0o755)])
    static let request = FileRequest(kind: .templates, name: "a.j2", basis: basis, isSealed: true)
    static let call = ModuleCall(
        module: "copy", arguments: dict, checkMode: true, diffMode: true, environment: ["PATH": "/bin"], verbosity: 2,
        become: Become(method: "sudo", user: "root", flags: "-H", executable: "", password: Secret("hush")),
        isHidden: true, timeout: 1.5, basis: basis,
        files: [PreparedFile(name: "a.j2", entry: entry, rendered: Text("x", mark: Mark(place: place)))])
    static let callResult = CallResult(result: dict, diff: [.null], warnings: ["w"], isStop: true)
    static let role = RolePlan(
        name: "web", path: "roles/web", defaults: dict, variables: dict, parameters: dict, parents: ["outer"],
        parentPaths: ["roles/outer"], isPublic: true, key: "k", allowsDuplicates: true)

    static let steps: [Step] = [
        .task(
            TaskPlan(
                ordinal: 1, place: place, name: Text("edit"), module: "template", arguments: .dict(dict),
                keywords: dict, inherited: dict, role: 0, basis: 0, isImplicit: true)),
        .block(
            BlockPlan(
                place: place, name: Text("b"), role: 0,
                block: [
                    .task(
                        TaskPlan(
                            ordinal: 2, place: place, name: nil, module: "meta", arguments: template, keywords: Dict(),
                            inherited: Dict(), role: nil, basis: 0))
                ], rescue: [], always: [])),
    ]

    static let plan: PlayPlan = {
        var settings = RunSettings()
        settings.checkMode = true
        settings.tags = ["t"]
        settings.changesInventory = true
        settings.folder = "/srv/project"
        var plan = PlayPlan(name: "p", place: place, index: 2, host: "web", settings: settings)
        plan.inventory = dict
        plan.variables = dict
        plan.extra = dict
        plan.magic = dict
        plan.roles = [role]
        plan.bases = [basis]
        plan.steps = steps
        plan.handlers = steps
        plan.files = [request: entry]
        let taskFile = TaskFile(path: "more.yml", steps: steps, roles: [role], bases: [basis])
        plan.taskFiles = [FileRequest(kind: .tasks, name: "more.yml", basis: basis): taskFile]
        plan.dynamicRoles = ["web": RoleFile(steps: steps, handlers: steps, roles: [role], bases: [basis])]
        plan.pendingHandlers = ["restart"]
        return plan
    }()

    static let events: [Event] = [
        .started(position, info), .item(position, info, result), .result(position, info, result),
        .included(position, info, path: "more.yml", label: "one"), .passed(position, info),
        .variables(dict, facts: dict), .notified(handler: "restart", position), .message(diagnostic),
        .addHost(name: "new", groups: ["g"], variables: dict), .groupBy(group: "g", parents: ["all"]),
        .stats(dict, perHost: true, aggregate: false), .retry(position, info, left: 3),
        .polled(position, info, job: "j1.2"), .redone(position, [.failed, .changed]),
    ]

    static let questions: [Question] = [
        .turn(position, info, throttle: 2), .verdict(position, failed: true), .revival(position, isUnreachable: false),
        .brought(within: position),
        .once(position, info), .onceDone(position, result, variables: dict, facts: dict),
        .file(request), .contents(digest: "00ff", path: "files/a"), .tasks(request),
        .role(
            RoleRequest(
                name: "web", tasksFrom: "a", varsFrom: "b", defaultsFrom: "c", handlersFrom: "d", basis: basis)),
        .hostVariable(host: "db", name: "port", position), .hostVariable(host: "db", name: nil, position),
        .lookup(plugin: "env", terms: ["HOME"], options: dict, basis),
        .delegate(host: "db", call, variables: dict, position, throttle: 0),
        .delegateFacts(host: "db", dict, isAssigned: true),
        .pause(prompt: "?", seconds: 1.5, echo: true, position),
        .pause(prompt: "?", seconds: nil, echo: false, position),
        .meta("end_play", position), .line(showing: "1\n", prompt: "> ", position),
        .debugged(showing: "", ends: true), .step(position, info),
    ]

    static let answers: [Answer] = [
        .proceed, .stop(reason: "interrupted"), .once(result, variables: dict, facts: dict),
        .file(entry, searched: ["a", "b"]), .file(nil, searched: []), .contents([0, 255]),
        .tasks(TaskFile(path: "more.yml", steps: steps, roles: [role], bases: [basis])),
        .role(RoleFile(steps: steps, handlers: [], roles: [role], bases: [basis])), .value(.dict(dict)), .value(nil),
        .values([template, secret]), .call(callResult), .input("yes", interrupted: true), .failure(diagnostic),
    ]

    static let orders: [Order] =
        [.begin(version: wireVersion, verbosity: 3), .play(plan), .call(call), .finish, .abort]
        + answers.map { .answer($0) }

    static let reports: [Report] =
        [
            .ready(version: wireVersion, user: "root", host: "web"), .events(events), .called(callResult),
            .broken("out of memory"), .played(PlayEnd(.ended, ends: "end_play", pendingHandlers: ["restart"])),
        ] + questions.map { .question($0) }
}
