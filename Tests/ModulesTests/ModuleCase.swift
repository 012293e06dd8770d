import Crypto
import Machine
import MachineFakes
import Modules
import Testing
import Values
import YAML

/// One document of a case file: a module, its arguments, a machine, and what must come of it.
///
/// ```yaml
/// case: a new folder          # what it is about
/// module: file                # otherwise the file's name
/// args: {path: /srv/t, state: directory}
/// machine: {}                 # what FakeMachine(description:) reads
/// controller:                 # files by the name that 'src' has: a text, or {content, mode, children, target}
///   files: {motd: hello}
///   templates: {motd.j2: "hello, rendered"}
/// expect:
///   changed: true             # the default; false where nothing is to be done
///   failed: "the message"     # instead of all below
///   result: {state: directory}
///   warnings: ["…"]           # all that it warns of
///   facts: {getent_passwd: {…}}   # all that becomes known of the host
///   files: {/srv/t: {folder: true}}
///   edits: [run apt-get update]   # some of the machine's edits, in order
///   diff: [{before: …, after: …, before_header: …, after_header: …, prepared: …}]
///   check: {changed: true, failed: …, result: {…}}   # where check mode says something else
///   repeats: true             # the second run changes again
/// ```
struct ModuleCase: Sendable, CustomTestStringConvertible {
    let file: String
    let name: String
    let module: String
    let value: Value

    var testDescription: String { "\(file): \(name)" }
    var expect: Value { value["expect"] ?? .dict(Dict()) }

    /// A fresh machine as the case describes it.
    func machine() throws -> FakeMachine { try FakeMachine(description: value["machine"] ?? .dict(Dict())) }

    func run(on machine: FakeMachine, check: Bool, courier: CaseCourier) throws(Failure) -> Outcome {
        let context = Context(machine: machine, courier: courier, checkMode: check, diffMode: true)
        guard let run = Registry.entry(module)?.run else { throw Failure("there is no module '\(module)' to run") }
        return try run(value["args"]?.dict ?? Dict(), machine, context)
    }

    static let folder = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "/Cases"

    static let all: [ModuleCase] = {
        let machine = LinuxMachine()
        var cases: [ModuleCase] = []
        do {
            for file in try machine.names(in: folder) ?? [] where file.hasSuffix(".yml") {
                let text = try machine.text(of: folder + "/" + file) ?? ""
                for (index, value) in try YAMLReader.values(text, name: file).enumerated() where !value.isNull {
                    cases.append(
                        ModuleCase(
                            file: file, name: value["case"]?.pythonText ?? "number \(index + 1)",
                            module: value["module"]?.pythonText ?? String(file.dropLast(4)), value: value))
                }
            }
        } catch {
            Issue.record("the cases cannot be read: \(error)")
        }
        return cases
    }()
}

/// Hands out the files that a case has for the controller.
final class CaseCourier: Courier {
    let files: Dict
    let templates: Dict

    init(_ value: ModuleCase) {
        files = value.value["controller"]?["files"]?.dict ?? Dict()
        templates = value.value["controller"]?["templates"]?.dict ?? Dict()
    }

    private func described(_ path: String, _ file: Value) -> ControllerFile {
        let mode = file["mode"].map { UInt32($0.pythonText, radix: 8) ?? 0o644 } ?? 0o644
        let target = file["target"]?.text
        if let children = file["children"]?.dict {
            let all = children.map { described($0.key.pythonText, $0.value) }
            return ControllerFile(path: path, digest: "", size: 0, mode: mode, children: all, target: target)
        }
        if file["folder"]?.isTrue == true {
            return ControllerFile(path: path, digest: "", size: 0, mode: mode, children: [], target: target)
        }
        let bytes = Array(Self.content(file).utf8)
        return ControllerFile(
            path: path, digest: sha256(bytes), size: bytes.count, mode: mode, target: target)
    }

    private static func content(_ file: Value) -> String { file.text ?? file["content"]?.text ?? "" }

    private func entry(_ name: String) -> Value? {
        files[name] ?? files[String(name.dropLast(name.hasSuffix("/") ? 1 : 0))]
    }

    func file(_ name: String, kind: ControllerFile.Kind, isSealed: Bool) throws(Failure) -> ControllerFile {
        guard let file = entry(name) else { throw Failure("the controller has no file '\(name)'") }
        return described("/play/files/" + (name.hasSuffix("/") ? String(name.dropLast()) : name), file)
    }

    func contents(of file: ControllerFile) throws(Failure) -> [UInt8] {
        for (name, value) in files {
            if described("/play/files/" + name.pythonText, value).digest == file.digest {
                return Array(Self.content(value).utf8)
            }
            for (_, child) in value["children"]?.dict ?? Dict()
            where sha256(Array(Self.content(child).utf8)) == file.digest {
                return Array(Self.content(child).utf8)
            }
        }
        throw Failure("the controller has no content for '\(file.path)'")
    }

    func rendered(_ name: String, options: Dict) throws(Failure) -> (text: String, source: ControllerFile) {
        guard let template = templates[name] else { throw Failure("the controller has no template '\(name)'") }
        return (Self.content(template), described("/play/templates/" + name, template))
    }

    func willChange() throws(Failure) {}

    private func sha256(_ bytes: [UInt8]) -> String { DigestAlgorithm.sha256.hex(of: bytes) }
}
