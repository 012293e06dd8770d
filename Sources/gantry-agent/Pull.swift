import Crypto
import Engine
import Glibc
import HTTP
import Machine
import Modules
import Templates
import Values
import Wire

/// `gantry-agent pull`: fetches this node's bundle, verifies it, runs it, and reports.
struct Pull {
    var source: String
    var keyPath: String
    var host: String
    var reportPath: String?
    /// Root only: the last sequence, and the last good bundle.
    var stateFolder: String
    var checkMode: Bool
    /// A CA bundle for a source with a certificate of its own.
    var caPath: String?
    let machine: LinuxMachine

    /// - Returns: the exit status: 0 as wanted, 2 a task failed, 1 nothing was run.
    func run() -> Int32 {
        do throws(BundleError) {
            let key = try verifyingKey()
            try prepareFolder()
            let (bundle, isCached) = try fetched(key)
            return try enforced(bundle, isCached: isCached)
        } catch {
            let report: Value = ["host": .string(host), "outcome": "refused", "msg": .string(error.message)]
            note("gantry-agent: error: \(error.message)")
            try? write(report)
            return 1
        }
    }

    private func verifyingKey() throws(BundleError) -> VerifyingKey {
        do {
            guard let text = try machine.text(of: keyPath) else { throw MachineError("there is no key '\(keyPath)'") }
            return try VerifyingKey(text: text)
        } catch let error as MachineError {
            throw BundleError(message: error.message)
        } catch { throw BundleError(message: "'\(keyPath)' is no key: \(error)") }
    }

    private func prepareFolder() throws(BundleError) {
        do throws(MachineError) {
            var path = ""
            for part in stateFolder.split(separator: "/") {
                path += "/\(part)"
                if try !machine.exists(path) { try machine.makeFolder(path, mode: 0o700) }
            }
            let blobs = "\(stateFolder)/blobs"
            if try !machine.exists(blobs) { try machine.makeFolder(blobs, mode: 0o700) }
        } catch { throw BundleError(message: error.message) }
    }

    private var lastSequence: Int {
        (try? machine.text(of: "\(stateFolder)/sequence"))?.flatMap { Int($0.trimmed) } ?? 0
    }

    /// The bundle from its source; the last good one when the source cannot be reached.
    private func fetched(_ key: VerifyingKey) throws(BundleError) -> (Bundle, isCached: Bool) {
        let source = BundleSource(source, machine: machine, caPath: caPath)
        let known = "\(stateFolder)/manifest"
        do throws(BundleError) {
            let tag = (try? machine.text(of: "\(stateFolder)/tag")).flatMap { $0 }
            let hasOne = (try? machine.exists(known)) ?? false
            let found = try source.manifest(host: host, tag: hasOne ? tag : nil)
            // Unchanged since the last time: what is kept is verified again all the same.
            let file = found?.text ?? (try? machine.text(of: known)).flatMap { $0 } ?? ""
            let bundle = try Bundle.verified(file, host: host, key: key, lastSequence: lastSequence) {
                (part) throws(BundleError) in
                if let bytes = cached(part.digest) { return bytes }
                return try source.blob(part)
            }
            if let found { try keep(bundle, file, tag: found.tag) }
            return (bundle, false)
        } catch {
            guard error.isUnreachable, let file = (try? machine.text(of: known)).flatMap({ $0 }) else { throw error }
            note("gantry-agent: warning: \(error.message); the last good bundle stays in force")
            let bundle = try Bundle.verified(file, host: host, key: key, lastSequence: 0) {
                (part) throws(BundleError) in
                guard let bytes = cached(part.digest) else {
                    throw BundleError(message: "a blob of the last good bundle is gone")
                }
                return bytes
            }
            return (bundle, true)
        }
    }

    private func cached(_ digest: String) -> [UInt8]? {
        // What the disk has garbled is as good as not there, and is fetched again.
        (try? machine.contents(of: "\(stateFolder)/blobs/\(digest)")).flatMap { bytes in
            bytes.flatMap { DigestAlgorithm.sha256.hex(of: $0) == digest ? $0 : nil }
        }
    }

    /// Keeps the bundle for days without a network; blobs of others go.
    private func keep(_ bundle: Bundle, _ file: String, tag: String?) throws(BundleError) {
        do throws(MachineError) {
            let attributes = Attributes(mode: 0o600)
            for (digest, bytes) in bundle.blobs where cached(digest) == nil {
                try machine.replace("\(stateFolder)/blobs/\(digest)", with: bytes, attributes: attributes)
            }
            try machine.replace("\(stateFolder)/manifest", with: Array(file.utf8), attributes: attributes)
            if let tag {
                try machine.replace("\(stateFolder)/tag", with: Array(tag.utf8), attributes: attributes)
            } else {
                try machine.remove("\(stateFolder)/tag")
            }
            let sequence = Array("\(bundle.manifest.sequence)\n".utf8)
            try machine.replace("\(stateFolder)/sequence", with: sequence, attributes: attributes)
            for name in try machine.names(in: "\(stateFolder)/blobs") ?? [] where bundle.blobs[name] == nil {
                try machine.remove("\(stateFolder)/blobs/\(name)")
            }
        } catch { throw BundleError(message: error.message) }
    }

    // MARK: Running

    private func enforced(_ bundle: Bundle, isCached: Bool) throws(BundleError) -> Int32 {
        let coordinator = BundleCoordinator(bundle)
        let executor = LocalExecutor(machine: machine, children: ChildAgents(machine))
        let templater = Templater()
        let started = machine.now
        var state = HostState()
        var outcome = PlayEnd.Outcome.completed
        for play in bundle.plays {
            var plan = play
            plan.settings.checkMode = plan.settings.checkMode || checkMode
            let run = PlayRun(plan, state: state, coordinator: coordinator, executor: executor, templater: templater)
            let end = run.run()
            state = run.state
            outcome = end.outcome
            if outcome != .completed && outcome != .ended { break }
        }
        var report = PullReport(host: host, bundle.manifest, isCached: isCached, coordinator.events).value
        report["outcome"] = .string(outcome == .ended ? "completed" : outcome.rawValue)
        report["check_mode"] = .bool(checkMode)
        report["started"] = .double(started)
        report["finished"] = .double(machine.now)
        try write(.dict(report))
        return outcome == .completed || outcome == .ended ? 0 : 2
    }

    private func write(_ report: Value) throws(BundleError) {
        let text = report.json(JSONStyle(indent: 2, asciiOnly: false)) + "\n"
        guard let reportPath else { return note(text, to: 1) }
        do throws(MachineError) {
            try machine.replace(reportPath, with: Array(text.utf8), attributes: Attributes(mode: 0o600))
        } catch { throw BundleError(message: error.message) }
    }
}

/// Writes a line for a person.
func note(_ text: String, to descriptor: Int32 = 2) {
    let bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, bytes.count) }
}

/// What a pull run did, for `--report`.
struct PullReport {
    var value: Dict

    init(host: String, _ manifest: Manifest, isCached: Bool, _ events: [Event]) {
        var counts: [Status: Int] = [:]
        var tasks: [Value] = []
        for event in events {
            guard case .result(_, let info, let result) = event else { continue }
            counts[result.status, default: 0] += 1
            guard [.changed, .failed, .unreachable, .ignored].contains(result.status) else { continue }
            var task: Dict = ["task": .string(info.name), "status": .string(result.status.rawValue)]
            if let place = info.place { task["place"] = .string(place.description) }
            if let message = result.result["msg"] { task["msg"] = message }
            tasks.append(.dict(task))
        }
        func count(_ status: Status) -> Value { .int(counts[status] ?? 0) }
        value = [
            "host": .string(host), "sequence": .int(manifest.sequence), "from_cache": .bool(isCached),
            "ok": .int((counts[.ok] ?? 0) + (counts[.changed] ?? 0) + (counts[.ignored] ?? 0)),
            "changed": count(.changed), "failed": count(.failed), "skipped": count(.skipped), "tasks": .list(tasks),
        ]
    }
}
