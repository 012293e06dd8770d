import Modules
import Templates
import Values
import Wire

/// `gather_facts`: the modules that `ansible_facts_modules` names, one after the other or side by side.
extension TaskItem {
    /// What one of the modules is run with.
    private struct Gatherer {
        var name: String
        var call: ModuleCall
        var warnings: [String]
        /// It knows by itself how long it may take.
        var keepsTime: Bool
    }

    func gather(
        _ given: Dict, _ isHidden: Bool, _ delegate: String?, _ way: Way
    ) throws(Interruption) -> TaskResult {
        var arguments = given
        let word = arguments.removeValue(forKey: "parallel")
        var warnings: [String] = []
        let names = try factsModules(arguments, &warnings)
        var gatherers: [Gatherer] = []
        for name in names { gatherers.append(try gatherer(name, arguments, isHidden, delegate)) }
        let wish = try variable("ansible_facts_parallel") ?? word
        let isParallel = wish.flatMap { $0.isNull ? nil : $0.asBool } ?? (names.count > 1)
        if !isParallel, gatherers.count == 1, Self.isSetup(names[0]) {
            var called = try send(gatherers[0].call, way)
            called.warnings += warnings
            if !(called.result["failed"]?.isTrue ?? false) { return try taken(called, way.delegate) }
            return try taken(Self.lost([called]) ?? Self.merged(names, [called], []), way.delegate)
        }
        var results: [CallResult] = []
        if isParallel {
            results = try sideBySide(gatherers, way, arguments["gather_timeout"])
        } else {
            for gatherer in gatherers { results.append(try send(gatherer.call, way)) }
        }
        if let lost = Self.lost(results) { return try taken(lost, way.delegate) }
        return try taken(Self.merged(names, results, warnings + gatherers.flatMap(\.warnings)), way.delegate)
    }

    /// The host could not be reached.
    private static func lost(_ results: [CallResult]) -> CallResult? {
        results.first { $0.result["unreachable"]?.isTrue ?? false }
    }

    private static func isSetup(_ name: String) -> Bool { Registry.shortName(name) == "setup" }

    /// The modules' names; `smart` stands for `setup`, or for what knows the host's network system.
    private func factsModules(_ arguments: Dict, _ warnings: inout [String]) throws(Interruption) -> [String] {
        let wanted = try variable("ansible_facts_modules") ?? run.plan.magic["_facts_default"] ?? "smart"
        var names = (wanted.list?.map(\.pythonText) ?? wanted.pythonText.split(separator: ",").map(String.init))
            .map(\.trimmed).filter { !$0.isEmpty }
        guard let smart = names.firstIndex(of: "smart") else { return names }
        names.remove(at: smart)
        var system = arguments["network_os"]?.pythonText
        if system == nil { system = try variable("ansible_network_os")?.pythonText }
        system = system ?? run.state.namedFacts["network_os"]?.pythonText
        guard let system, !system.isEmpty else {
            if !names.contains(where: Self.isSetup) { names.append("ansible.legacy.setup") }
            return names
        }
        if let module = networkFacts(for: system) {
            names.append(module)
        } else if names.isEmpty {
            throw .failed(
                TaskFailure(
                    "No fact modules available and we could not find a fact module for your network OS (\(system)), "
                        + "try setting one via the `FACTS_MODULES` configuration."))
        }
        if names.contains(where: Self.isSetup) {
            warnings.append(
                "Detected 'setup' module and a network OS is set, the output when running it will reflect 'localhost' "
                    + "and not the target when a networking connection plugin is used.")
        }
        return names
    }

    /// One module's call: it gets the task's arguments as far as they are for it, over its own defaults.
    private func gatherer(
        _ name: String, _ given: Dict, _ isHidden: Bool, _ delegate: String?
    ) throws(Interruption) -> Gatherer {
        let short = Registry.shortName(name)
        var arguments = given.filter { !$0.value.isNull }
        var warnings: [String] = []
        if !Self.isSetup(name) {
            for key in ["gather_subset", "gather_timeout", "filter"] {
                guard let value = arguments.removeValue(forKey: .string(Text(key))) else { continue }
                let isUsual = key == "gather_subset" && (value == "all" || value == ["all"])
                let word = ["gather_subset": "subset", "gather_timeout": "timeout"][key] ?? key
                if !isUsual { warnings.append("Not passing \(word)(\(value.pythonText)) to \(name)") }
            }
        }
        var own = Dict()
        for (key, value) in try defaults(of: short) where value != Templater.omit { own[key] = value }
        for (key, value) in arguments { own[key] = value }
        let path = Self.isSetup(name) ? nil : run.plan.magic["_facts_modules"]?[name]?.text
        guard path != nil || Registry.entry(short) != nil else {
            throw .failed(TaskFailure("The module \(name) was not found in configured module paths."))
        }
        return Gatherer(
            name: name, call: try ready(short, path, own, isHidden, delegate), warnings: warnings,
            keepsTime: own["gather_timeout"] != nil)
    }

    /// Each module as a job of its own, asked for until all have ended.
    private func sideBySide(
        _ gatherers: [Gatherer], _ way: Way, _ timeout: Value?
    ) throws(Interruption) -> [CallResult] {
        let folder = try jobFolder() ?? "~/.ansible_async"
        let limit = timeout.flatMap { try? Double(parameter: $0) }
        var jobs: [Int: ModuleCall] = [:]
        var results: [Int: CallResult] = [:]
        for (index, gatherer) in gatherers.enumerated() {
            var call = gatherer.call
            let id = "j\(Int.random(in: 0..<999_999_999_999)).\(Int.random(in: 1000..<100_000))"
            let seconds = gatherer.keepsTime ? nil : limit
            call.job = Job(id: id, seconds: seconds ?? Self.longestGathering, folder: folder)
            let started = try send(call, way)
            guard started.result["started"]?.isTrue ?? false else {
                results[index] = started
                continue
            }
            jobs[index] = status(of: gatherer.call, id, folder)
        }
        while !jobs.isEmpty {
            if let reason = run.coordinator.stopReason { throw .stopped(reason) }
            try task.pause(seconds: 0.1)
            for (index, var status) in jobs {
                let known = try send(status, way)
                let isOver = ["finished", "failed"].contains { known.result[.string(Text($0))]?.isTrue ?? false }
                guard isOver else { continue }
                results[index] = known
                jobs[index] = nil
                status.arguments["mode"] = "cleanup"
                status.checkMode = false
                _ = try send(status, way)
            }
        }
        return gatherers.indices.compactMap { results[$0] }
    }

    // What gathers facts and does not end within an hour never will.
    private static let longestGathering = 3600.0

    private func status(of call: ModuleCall, _ id: String, _ folder: String) -> ModuleCall {
        var status = call
        status.module = "async_status"
        status.foreign = nil
        status.files = []
        status.arguments = ["jid": .string(id), "_async_dir": .string(folder)]
        return status
    }

    /// All results as one: mappings are merged, lists added to each other, the last one counts.
    private static func merged(_ names: [String], _ results: [CallResult], _ warnings: [String]) -> CallResult {
        var facts = Dict()
        var failed = Dict()
        var skipped = Dict()
        var warnings = warnings
        for (name, called) in zip(names, results) {
            if called.result["failed"]?.isTrue ?? false {
                failed[name] = .dict(ended(called.result))
            } else if called.result["skipped"]?.isTrue ?? false {
                skipped[name] = .dict(ended(called.result))
            } else {
                facts = joined(facts, called.result["ansible_facts"]?.dict ?? Dict())
                let own = called.result["warnings"]?.list?.map(\.pythonText) ?? []
                for warning in called.warnings + own where !warnings.contains(warning) { warnings.append(warning) }
            }
        }
        var result: Dict = ["ansible_facts": .dict(facts), "changed": false]
        if !skipped.isEmpty {
            result["msg"] = .string("The following modules were skipped: \(skipped.names.joined(separator: ", ")).")
            result["skipped_modules"] = .dict(skipped)
            if skipped.count == names.count { result["skipped"] = true }
        }
        if !failed.isEmpty {
            result["failed"] = true
            result["failed_modules"] = .dict(failed)
            result["msg"] = .string(
                "The following modules failed to execute: \(failed.names.joined(separator: ", ")).")
        }
        return CallResult(result: result, warnings: warnings)
    }

    /// A job's result without what is known of the job.
    private static func ended(_ result: Dict) -> Dict {
        var own = result
        for key in ["results_file", "started"] { own[key] = nil }
        return own
    }

    private static func joined(_ first: Dict, _ second: Dict) -> Dict {
        var all = first
        for (key, value) in second {
            switch (all[key], value) {
            case (.dict(let old)?, .dict(let new)): all[key] = .dict(joined(old, new))
            case (.list(let old)?, .list(let new)): all[key] = .list(old.filter { !new.contains($0) } + new)
            default: all[key] = value
            }
        }
        return all
    }
}
