import Machine
import Values

/// `getent`: entries of the system's databases as facts.
struct GetEntries: Action {
    var database = ""
    var key: String?
    var service: String?
    var split: String?
    var failKey = true
    init() {}

    static let schema = Schema<GetEntries>(
        "getent", "Reads entries of the system's databases (passwd, group, hosts, …) into facts.",
        [
            Parameter("database", \.database, required: true, "The database: passwd, group, hosts, services, …"),
            Parameter("key", \.key, "The entry to look for; without it all are listed."),
            Parameter("service", \.service, "Ask only this source: files, dns, …"),
            Parameter("split", \.split, "What separates the fields; a colon for passwd, shadow, group and gshadow."),
            Parameter("fail_key", \.failKey, default: "true", "A key that is not there is a failure."),
        ],
        options: SchemaOptions(
            returns: [
                ("ansible_facts", "A mapping 'getent_DATABASE': by key the other fields; null for a key not there.")
            ],
            examples: """
                - name: Who is root
                  ansible.builtin.getent:
                    database: passwd
                    key: root

                - ansible.builtin.debug:
                    msg: "root's home is {{ ansible_facts.getent_passwd.root[4] }}"
                """, onlyReads: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let words = ["getent", database] + (key.map { [$0] } ?? []) + (service.map { ["-s", $0] } ?? [])
        guard machine.program("getent") != nil else {
            throw Failure("Failed to find required executable \"getent\" in paths: the node has no getent")
        }
        let done = try attempt { () throws(MachineError) in
            try machine.inspect(Command(words, environment: context.environment))
        }
        let name: Value = .string("getent_\(database)")
        switch done.status {
        case 0: return Outcome(facts: [name: .dict(entries(done.outputText))])
        case 1: throw Failure("Missing arguments, or database unknown.")
        case 2:
            let text = "One or more supplied key could not be found in the database."
            guard !failKey, let key else { throw Failure(text) }
            let none = Dict(uniqueKeysWithValues: [(Value.string(key), Value.null)])
            return Outcome(["msg": .string(text)], facts: [name: .dict(none)])
        case 3: throw Failure("Enumeration not supported on this database.")
        default: throw Failure("Unexpected failure!")
        }
    }

    /// The fields behind the first, by the first; a list of such lists where several entries have it.
    private func entries(_ text: String) -> Dict {
        let separator = split ?? (["passwd", "shadow", "group", "gshadow"].contains(database) ? ":" : nil)
        var all: [(key: String, rows: [Value])] = []
        var places: [String: Int] = [:]
        for line in text.pythonLines {
            let fields: [String]
            if let mark = separator?.first, separator?.count == 1 {
                fields = line.split(separator: mark, omittingEmptySubsequences: false).map(String.init)
            } else if let separator {
                fields = parts(of: line, at: separator)
            } else {
                fields = line.split { $0.isWhitespace }.map(String.init)
            }
            guard let first = fields.first else { continue }
            let row = Value.strings(Array(fields.dropFirst()))
            if let place = places[first] {
                all[place].rows.append(row)
            } else {
                places[first] = all.count
                all.append((first, [row]))
            }
        }
        var entries = Dict()
        for (key, rows) in all { entries[.string(key)] = rows.count == 1 ? rows[0] : .list(rows) }
        return entries
    }

    private func parts(of line: String, at separator: String) -> [String] {
        var parts: [String] = []
        var rest = line[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
