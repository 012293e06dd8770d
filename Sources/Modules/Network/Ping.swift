import Machine
import Values

/// `ping`: whether tasks can run here.
struct Ping: Action {
    var data = "pong"
    init() {}

    static let schema = Schema<Ping>(
        "ping", "Answers, to show that tasks can run on the node.",
        [Parameter("data", \.data, default: "pong", "What is answered; 'crash' fails.")],
        options: SchemaOptions(
            returns: [("ping", "The data.")],
            examples: """
                - name: Is it there
                  ansible.builtin.ping:
                """, onlyReads: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        if data == "crash" { throw Failure("Task failed: Module failed: boom") }
        return Outcome(["ping": .string(data)])
    }
}
