import Crypto
import Machine
import Values

/// `slurp`: the content of a file as Base64.
struct ReadFile: Action {
    var source: FilePath = ""
    init() {}

    static let schema = Schema<ReadFile>(
        "slurp", "Reads a file of the node into a result.",
        [Parameter("src", \.source, aliases: ["path"], required: true, "The file to read.")],
        options: SchemaOptions(
            returns: [
                ("content", "The content in Base64."), ("encoding", "Always 'base64'."), ("source", "The path read."),
            ],
            examples: """
                - name: Fetch the certificate
                  ansible.builtin.slurp:
                    src: /etc/ssl/registry/ca.crt
                  register: ca

                - ansible.builtin.debug:
                    msg: "{{ ca.content | b64decode }}"
                """, onlyReads: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let path = try source.expanded(on: machine, context)
        let status = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
        if status?.kind == .folder { throw Failure("Source is a directory and must be a file: \(path)") }
        let bytes = try attempt { () throws(MachineError) in try machine.contents(of: path) }
        guard let bytes else { throw Failure("File not found: \(path)") }
        return Outcome([
            "content": .string(Base64.encode(bytes)), "source": .string(path), "encoding": "base64",
        ])
    }
}
