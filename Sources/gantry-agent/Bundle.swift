import Crypto
import Engine
import Machine
import Modules
import Values
import Wire

/// Why a bundle is not run. Nothing has been changed.
struct BundleError: Error {
    let message: String
    /// The source could not be reached: the last good bundle stays in force.
    var isUnreachable = false
}

/// A verified bundle: every byte of it is covered by the signature.
struct Bundle {
    let manifest: Manifest
    let plays: [PlayPlan]
    let blobs: [String: [UInt8]]

    /// - Parameters:
    ///   - file: signature line and manifest, as fetched.
    ///   - blob: fetches a blob by its digest.
    static func verified(
        _ file: String, host: String, key: VerifyingKey, lastSequence: Int,
        blob: (Manifest.Blob) throws(BundleError) -> [UInt8]
    ) throws(BundleError) -> Bundle {
        let manifest = try self.manifest(file, host: host, key: key)
        guard manifest.sequence >= lastSequence else {
            throw BundleError(
                message: "the bundle is older than the last one: sequence \(manifest.sequence), last \(lastSequence)")
        }
        guard manifest.wire == wireVersion else {
            throw BundleError(
                message: "the bundle is for agents of version \(manifest.wire), this one is \(wireVersion)")
        }
        var blobs: [String: [UInt8]] = [:]
        for part in manifest.plays + manifest.files where blobs[part.digest] == nil {
            let bytes = try blob(part)
            guard bytes.count == part.size, DigestAlgorithm.sha256.hex(of: bytes) == part.digest else {
                throw BundleError(message: "blob \(part.digest.prefix(12))… does not have the digest it is named by")
            }
            blobs[part.digest] = bytes
        }
        var plays: [PlayPlan] = []
        for part in manifest.plays {
            do throws(WireError) {
                var reader = WireReader(blobs[part.digest] ?? [])
                plays.append(try PlayPlan(from: &reader))
            } catch { throw BundleError(message: "a plan in the bundle cannot be read: \(error.description)") }
        }
        return Bundle(manifest: manifest, plays: plays, blobs: blobs)
    }

    private static func manifest(_ file: String, host: String, key: VerifyingKey) throws(BundleError) -> Manifest {
        guard let (signature, json) = Manifest.split(file) else {
            throw BundleError(message: "what was fetched is not a manifest")
        }
        guard let bytes = try? Base64.decode(signature), key.verifies(bytes, of: Array(json.utf8)) else {
            throw BundleError(message: "the manifest is not signed by the expected key")
        }
        do throws(WireError) {
            let manifest = try Manifest(json: json)
            guard manifest.host == host else {
                throw WireError("the manifest is for host '\(manifest.host)', not '\(host)'")
            }
            return manifest
        } catch { throw BundleError(message: error.description) }
    }
}

/// Answers an engine's questions from a bundle: there is nobody else.
final class BundleCoordinator: Coordinator {
    private let bundle: Bundle
    private(set) var events: [Event] = []
    var stopReason: String? { nil }

    init(_ bundle: Bundle) { self.bundle = bundle }

    func tell(_ event: Event) { events.append(event) }

    func ask(_ question: Question) throws(Interruption) -> Answer {
        switch question {
        case .turn, .once, .meta: return .proceed
        case .verdict, .revival: return .value(nil)
        case .brought: return .once(TaskResult(status: .ok, result: Dict()), variables: Dict(), facts: Dict())
        case .onceDone, .delegateFacts: return .proceed
        case .file(let request): return .file(entry(request), searched: ["the bundle"])
        case .contents(let digest, let path):
            if let bytes = bundle.blobs[digest] { return .contents(bytes) }
            return missing("file '\(path)'")
        case .tasks(let request):
            for play in bundle.plays { if let file = play.taskFiles[request] { return .tasks(file) } }
            return missing("file of tasks '\(request.name)'")
        case .role(let request):
            for play in bundle.plays { if let role = play.dynamicRoles[request.key] { return .role(role) } }
            return missing("role '\(request.name)'")
        // Nobody else is there to change it.
        case .inventory: return .value(nil)
        case .hostVariable(let host, _, _) where host == bundle.plays.first?.host: return .value(nil)
        case .hostVariable(let host, let name, _): return variable(name, of: host)
        case .lookup(let plugin, _, _, _): return missing("controller, which lookup '\(plugin)' reads")
        case .delegate(let host, _, _, _, _): return missing("way to host '\(host)', which the task is delegated to")
        case .module(let path): return missing("program for module file '\(path)'")
        case .parts: return missing("program for a module that is not built in")
        case .plugin(let kind, let name, _, _): return missing("Python for \(kind) '\(name)'")
        case .keep(let file): return missing("controller to fetch '\(file.source)' to")
        case .converse(let step): return missing("Python for plugin '\(step["begin"]?["name"]?.text ?? "")'")
        case .pause: return .input("", interrupted: false)
        // Nobody is there: what failed has failed.
        case .line: return .input("continue", interrupted: false)
        case .debugged: return .proceed
        case .step: return .value(true)
        }
    }

    private func entry(_ request: FileRequest) -> FileEntry? {
        for play in bundle.plays { if let entry = play.files[request] { return entry } }
        guard request.name.hasPrefix("/") else { return nil }
        // Asked for by where it stood: beside a template that includes it.
        for play in bundle.plays {
            if let entry = play.files.values.first(where: { $0.path == request.name }) { return entry }
        }
        return nil
    }

    /// Of other hosts, bundles hold what their plans name; facts are gathered by runs that push.
    private func variable(_ name: String?, of host: String) -> Answer {
        for play in bundle.plays {
            guard let values = play.others[.string(host)]?.dict else { continue }
            guard let name else { return .value(.strings(values.names)) }
            if let value = values[name] { return .value(value) }
            if !name.hasPrefix("ansible_") || reachVariables.contains(name) { return .value(nil) }
        }
        return missing("variable '\(name ?? "*")' of host '\(host)'")
    }

    private func missing(_ what: String) -> Answer {
        .failure(
            Diagnostic("there is no \(what) in pull mode", notes: ["keep such tasks in playbooks that are pushed"]))
    }
}
