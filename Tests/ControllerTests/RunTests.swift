import Controller
import Synchronization
import Testing
import Values
import Wire

/// Whole runs with scripted agents over streams in memory.
@Suite struct RunTests {
    struct Outcome {
        var code: Int32
        var shown: [String]
        var log: [String]
    }

    func run(
        _ scripts: [String: [String]], hosts: [String]? = nil, keywords: Dict = Dict(), plays: Int = 1, forks: Int = 0
    ) async throws -> Outcome {
        let agents = ScriptedAgents(scripts)
        let sink = LineSink()
        let outlines = (0..<plays).map { PlayOutline(name: "p\($0)", place: nil, keywords: keywords) }
        var options = RunOptions()
        options.forks = forks
        let run = Run(
            source: ScriptedSource(plays: outlines, selected: hosts ?? scripts.keys.sorted()), connecting: agents,
            options: options, prompter: SilentPrompter(), sink: sink)
        let code = try await run.run()
        return Outcome(code: code, shown: sink.lines.withLock { $0 }, log: agents.log.withLock { $0 })
    }

    @Test func changesKeepTheOrderOfLinear() async throws {
        let script = ["read 1 look", "change 2 edit", "read 3 look", "change 4 restart"]
        let outcome = try await run(["a": script, "b": script])
        #expect(outcome.log.prefix(2).sorted() == ["edit on a", "edit on b"])
        #expect(outcome.log.suffix(2).sorted() == ["restart on a", "restart on b"])
        let banners = outcome.shown.filter { $0.hasPrefix("TASK") }
        #expect(banners == ["TASK look", "TASK edit", "TASK look", "TASK restart"])
        #expect(outcome.shown.last == "a ok=4 changed=2; b ok=4 changed=2")
        #expect(outcome.code == 0)
    }

    @Test func aHostThatCannotBeReachedIsOut() async throws {
        let outcome = try await run(["a": ["change 1 edit"]], hosts: ["a", "z"], plays: 2)
        #expect(outcome.code == 4)
        #expect(outcome.shown.contains("z: unreachable z:22: Connection refused"))
        #expect(outcome.shown.last == "a ok=2 changed=2; z unreachable=1")
    }

    @Test func aLostAgentIsReportedWithItsTask() async throws {
        let outcome = try await run(["a": ["read 1 look", "die"], "b": ["read 1 look", "change 2 edit"]])
        #expect(outcome.shown.contains("a: unreachable the agent ended (signal KILL), last seen at task 'look'"))
        #expect(outcome.log == ["edit on b"])
        #expect(outcome.code == 4)
    }

    @Test func aFailureEndsOnlyItsHost() async throws {
        let outcome = try await run([
            "a": ["fail 1 edit", "change 2 restart"], "b": ["change 1 edit", "change 2 restart"],
        ])
        #expect(outcome.log.suffix(1) == ["restart on b"])
        #expect(outcome.code == 2)
        #expect(outcome.shown.last == "a failed=1; b ok=2 changed=2")
    }

    @Test func aFatalFailureEndsItForAll() async throws {
        let outcome = try await run([
            "a": ["fatal 1 edit"], "b": ["change 1 edit", "change 2 restart"], "c": ["read 1 edit", "read 2 restart"],
        ], plays: 2)
        #expect(!outcome.log.contains("restart on b"))
        #expect(outcome.code == 2)
        #expect(outcome.shown.last == "a failed=1; b ok=1 changed=1; c ok=1")
    }

    @Test func tooManyFailuresEndIt() async throws {
        let outcome = try await run([
            "a": ["fail 1 edit"], "b": ["change 1 edit", "change 2 restart"],
            "c": ["change 1 edit", "change 2 restart"],
        ], keywords: ["max_fail_percentage": 30])
        #expect(outcome.log.allSatisfy { $0.hasPrefix("edit") })
        #expect(outcome.code == 2)
    }

    @Test func onceIsDoneByTheFirst() async throws {
        let script = ["once 1 migrate", "change 2 edit"]
        let outcome = try await run(["a": script, "b": script, "c": script])
        #expect(outcome.log.first == "migrate on a")
        #expect(outcome.log.dropFirst().prefix(2).sorted() == ["b has x=1", "c has x=1"])
        #expect(outcome.shown.filter { $0.hasPrefix("TASK") } == ["TASK migrate", "TASK edit"])
    }

    @Test func hostVariablesAreThoseOfEarlierTasks() async throws {
        let outcome = try await run(["a": ["change 1 edit", "set 1 x"], "b": ["hostvar 2 a x"]])
        #expect(outcome.log == ["edit on a", "b sees a"])
    }

    @Test func delegatedTasksKeepTheOrder() async throws {
        let outcome = try await run([
            "a": ["change 1 edit", "delegate 2 lb drain"], "b": ["change 1 edit", "change 3 restart"], "lb": [],
        ], hosts: ["a", "b"])
        #expect(outcome.log.suffix(2) == ["drain on lb", "restart on b"])
    }

    @Test func hostsPauseTogether() async throws {
        let outcome = try await run(["a": ["pause 1"], "b": ["pause 1"]])
        #expect(outcome.log.sorted() == ["a goes on after 'yes'", "b goes on after 'yes'"])
    }

    @Test func endPlayEndsItForAll() async throws {
        let outcome = try await run(
            ["a": ["read 1 look", "meta 2 end_play"], "b": ["read 1 look", "read 3 more", "change 4 edit"]], plays: 2)
        #expect(outcome.log.isEmpty)
        #expect(outcome.code == 0)
        #expect(!outcome.shown.contains("TASK more"))
    }

    @Test func batchesRunOneAfterTheOther() async throws {
        let script = ["change 1 edit", "change 2 restart"]
        let outcome = try await run(["a": script, "b": script], keywords: ["serial": 1])
        #expect(outcome.log == ["edit on a", "restart on a", "edit on b", "restart on b"])
    }

    @Test func addedHostsAreInTheNextPlay() async throws {
        let outcome = try await run(["a": ["add n"], "n": ["read 1 look"]], hosts: ["a"], plays: 2)
        #expect(outcome.shown.contains("PLAY p1 (a n)"))
        #expect(outcome.shown.contains("n: ok"))
    }

    @Test func forksOfOneRunHostAfterHost() async throws {
        let script = ["change 1 edit"]
        let outcome = try await run(["a": script, "b": script, "c": script], forks: 1)
        #expect(outcome.log == ["edit on a", "edit on b", "edit on c"])
    }

    @Test func freeHostsDoNotWait() async throws {
        let outcome = try await run(
            ["a": ["change 1 edit", "change 2 restart"], "b": ["hostvar 1 a x"]], keywords: ["strategy": "free"])
        #expect(outcome.log.contains("restart on a"))
    }

    @Test(.timeLimit(.minutes(10))) func aThousandHosts() async throws {
        let script = (1...20).map { "read \($0) look" } + (21...25).map { "change \($0) edit" }
        var scripts: [String: [String]] = [:]
        for number in 0..<1000 { scripts["h\(number)"] = script }
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = try await run(scripts)
        let span = clock.now - start
        #expect(outcome.code == 0)
        #expect(outcome.log.count == 5000)
        print("a thousand hosts, 25 tasks, 5 changes: \(span)")
    }
}
