import Machine
import Values

/// Where facts are read from: the machine, with reads that never fail; what cannot be read is not there.
package struct FactSource {
    let machine: any MachineReader
    let context: Context
    let options: FactOptions
    /// Things worth telling that are no reason to fail.
    var warnings: [String] = []

    /// The text of a file without blanks at its ends; `nil` when it is missing, unreadable or empty.
    func text(_ path: String) -> String? {
        guard let text = whole(path)?.trimmed, !text.isEmpty else { return nil }
        return text
    }

    /// The text of a file as it is.
    func whole(_ path: String) -> String? {
        (try? machine.contents(of: path, limit: 16 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    func lines(_ path: String) -> [Substring] { whole(path)?.split(separator: "\n") ?? [] }
    func number(_ path: String) -> Int? { text(path).flatMap { Int($0) } }
    func exists(_ path: String) -> Bool { (try? machine.exists(path)) ?? false }
    func names(_ folder: String) -> [String] { (try? machine.names(in: folder)) ?? [] }
    func link(_ path: String) -> String? { try? machine.linkTarget(of: path) }
    func isLink(_ path: String) -> Bool { (try? machine.status(of: path, followingLinks: false))?.kind == .link }

    /// The output of a program that only reads; `nil` when it is missing or ends badly.
    func output(_ arguments: [String]) -> String? {
        guard machine.program(arguments[0]) != nil else { return nil }
        let command = Command(
            arguments, environment: ["LC_ALL": "C", "LANG": "C"], timeout: Double(options.gatherTimeout))
        guard let done = try? machine.inspect(command), done.status == 0 else { return nil }
        return done.outputText
    }
}

/// What the parameters of `setup` say about reading.
struct FactOptions: Sendable {
    var factPath = "/etc/ansible/facts.d"
    /// Seconds for each program asked.
    var gatherTimeout = 10
}

extension Value {
    /// The text, or null where there is none.
    static func optional(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
}

/// The last part of a path.
func baseName(_ path: String) -> String { String(path).split(separator: "/").last.map { String($0) } ?? "" }
