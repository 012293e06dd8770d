import Machine
import Values

/// `command`: a program with arguments, without a shell.
struct RunCommand: Action, CommandRunner {
    var line = CommandSettings()
    init() {}

    static let schema = Schema<RunCommand>(
        "command", "Runs a program on the node, without a shell.",
        rows + [
            Parameter(
                "expand_argument_vars", \.line.expandArgumentVars, default: "true",
                "Replace $NAME and ~ in the arguments."),
            Parameter("executable", \.line.executable, "Has no effect here; for a shell, use 'shell'."),
        ],
        options: options(
            examples: """
                - name: Migrate the database once
                  ansible.builtin.command: /opt/app/migrate --yes
                  args:
                    chdir: /opt/app
                    creates: /opt/app/.migrated

                - name: A program whose arguments have blanks
                  ansible.builtin.command:
                    argv: [/usr/bin/logger, "-t", "deploy", "a text with blanks"]
                """,
            notes: [
                "There is no shell: pipes, redirections and operators are plain arguments.",
                "In check mode the command does not run; with creates or removes it says whether it would.",
            ]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        try line.run(on: machine, context, shell: false)
    }
}

/// `shell`: a line for `/bin/sh`, or for the shell that `executable` names.
struct RunShell: Action, CommandRunner {
    var line = CommandSettings()
    init() {}

    static let schema = Schema<RunShell>(
        "shell", "Runs a line in a shell on the node.",
        rows + [
            Parameter("executable", \.line.executable, default: "/bin/sh", "The shell: an absolute path.")
        ],
        options: options(
            examples: """
                - name: Count what waits
                  ansible.builtin.shell: ls /var/spool/app | wc -l
                  register: waiting
                  changed_when: false

                - name: A bash script in the task
                  ansible.builtin.shell:
                    cmd: |
                      set -o pipefail
                      dmesg | grep -i error
                    executable: /bin/bash
                """,
            notes: ["Quote values from variables with the filter 'quote', or use 'command'."],
            refused: ["expand_argument_vars": "Unsupported parameters for (shell) module: expand_argument_vars"]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        try line.run(on: machine, context, shell: true)
    }
}
