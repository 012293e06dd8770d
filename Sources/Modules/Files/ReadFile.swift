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
            "content": .string(base64(bytes)), "source": .string(path), "encoding": "base64",
        ])
    }
}

/// Standard Base64 with padding, in one line.
func base64(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let padded = Array(group) + [0, 0]
        let word = UInt32(padded[0]) << 16 | UInt32(padded[1]) << 8 | UInt32(padded[2])
        for position in 0..<4 {
            let isData = position <= group.count
            out.append(isData ? letters[Int(word >> UInt32(18 - 6 * position) & 63)] : UInt8(ascii: "="))
        }
    }
    return String(decoding: out, as: UTF8.self)
}
