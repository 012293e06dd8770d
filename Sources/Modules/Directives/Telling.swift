import Values

/// `debug`: shows text or a variable.
struct DebugText: Directive {
    var message: Value?
    var variable: Value?
    var verbosity = 0
    init() {}
    static let schema = Schema<DebugText>(
        "debug", "Shows text or a variable.",
        [
            Parameter("msg", \.message, default: "Hello world!", "What is shown."),
            Parameter("var", \.variable, "A variable, or an expression, whose value is shown."),
            Parameter("verbosity", \.verbosity, default: "0", "Only with so many -v."),
        ],
        options: SchemaOptions(
            mutuallyExclusive: [["msg", "var"]],
            examples: """
                - name: Where the database is
                  ansible.builtin.debug:
                    msg: "database on {{ database_host }}"
                """, onlyReads: true))
}

/// `assert`: expressions that must be true.
struct AssertThat: Directive {
    var that: Value = .null
    var failMessage: Value?
    var successMessage: Value?
    var quiet = false
    init() {}
    static let schema = Schema<AssertThat>(
        "assert", "Fails unless all expressions are true.",
        [
            Parameter("that", \.that, required: true, "Expressions, as 'when' takes them."),
            Parameter("fail_msg", \.failMessage, aliases: ["msg"], "What is said when one is false."),
            Parameter("success_msg", \.successMessage, "What is said when all are true."),
            Parameter("quiet", \.quiet, default: "false", "Say little when all are true."),
        ],
        options: SchemaOptions(
            returns: [("assertion", "The expression that was false."), ("evaluated_to", "What it gave.")],
            examples: """
                - name: Enough memory
                  ansible.builtin.assert:
                    that: ansible_facts.memtotal_mb >= 2000
                    fail_msg: two gigabytes are needed
                """, onlyReads: true))
}

/// `fail`: ends the host's run with a message.
struct FailNow: Directive {
    var message: Value = "Failed as requested from task"
    init() {}
    static let schema = Schema<FailNow>(
        "fail", "Fails with a message.",
        [Parameter("msg", \.message, default: "Failed as requested from task", "What is said.")],
        options: SchemaOptions(
            examples: """
                - name: No way on
                  ansible.builtin.fail:
                    msg: this distribution is not supported
                  when: ansible_facts.os_family != 'Debian'
                """, onlyReads: true))
}

/// `pause`: waits for time to pass, or for a person.
struct PausePlay: Directive {
    var minutes: Value?
    var seconds: Value?
    var prompt: String?
    var echo = true
    init() {}
    static let schema = Schema<PausePlay>(
        "pause", "Waits for some time, or until a person answers.",
        [
            Parameter("minutes", \.minutes, "Minutes to wait."),
            Parameter("seconds", \.seconds, "Seconds to wait."),
            Parameter("prompt", \.prompt, "What the person is asked."),
            Parameter("echo", \.echo, default: "true", "Show what the person types."),
        ],
        options: SchemaOptions(
            mutuallyExclusive: [["minutes", "seconds"]],
            returns: [
                ("user_input", "What the person typed."), ("start", "When the wait began."), ("stop", "When it ended."),
                ("delta", "Seconds that it took."), ("echo", "Whether the input was shown."),
                ("stdout", "What was said."),
            ],
            examples: """
                - name: Give the cluster time
                  ansible.builtin.pause:
                    seconds: 30
                """, notes: ["Runs once for all hosts of the batch."]))
}

/// `meta`: acts on the play itself.
struct MetaAction: Directive {
    enum Action: String, CaseIterable, Choice {
        case clearFacts = "clear_facts"
        case clearHostErrors = "clear_host_errors"
        case endBatch = "end_batch"
        case endHost = "end_host"
        case endPlay = "end_play"
        case endRole = "end_role"
        case flushHandlers = "flush_handlers"
        case noop
        case refreshInventory = "refresh_inventory"
        case resetConnection = "reset_connection"
    }
    var action = Action.noop
    init() {}
    static let schema = Schema<MetaAction>(
        "meta", "Acts on the play itself: its handlers, its hosts, its end.",
        [Parameter("_raw_params", \.action, aliases: ["free_form"], required: true, "What to do.")],
        options: SchemaOptions(
            freeForm: "_raw_params",
            examples: """
                - name: Restart now what has to be restarted
                  ansible.builtin.meta: flush_handlers
                """))
}

/// `wait_for_connection`: waits until the node can be reached and used.
struct WaitForConnection: Directive {
    var connectTimeout = 5
    var delay = 0
    var sleep = 1
    var timeout = 600
    init() {}
    static let schema = Schema<WaitForConnection>(
        "wait_for_connection", "Waits until the node can be reached and used.",
        [
            Parameter("connect_timeout", \.connectTimeout, default: "5", "Seconds for one try."),
            Parameter("delay", \.delay, default: "0", "Seconds before the first try."),
            Parameter("sleep", \.sleep, default: "1", "Seconds between two tries."),
            Parameter("timeout", \.timeout, default: "600", "Seconds until it is given up."),
        ],
        options: SchemaOptions(
            returns: [("elapsed", "Seconds that it took.")],
            examples: """
                - name: Until the machine is up
                  ansible.builtin.wait_for_connection:
                    timeout: 300
                """))
}
