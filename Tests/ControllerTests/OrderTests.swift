@testable import Controller
import SSH
import Testing
import Values
import Wire

@Suite struct LinearizerTests {
    /// `a 1 ok edit` tells, `a at 2` asks for its turn, `a end`; behind `->` stands what is shown.
    static let scripts: [(name: String, text: String)] = [
        (
            "tasks come in order, each banner once",
            """
            a 1 ok look ->
            a 2 ok more ->
            b 1 ok look -> TASK look, a: ok, b: ok
            b end -> TASK more, a: ok
            """
        ),
        (
            "a task in hand is shown as its results come",
            """
            b at 1 ->
            a 1 changed edit -> TASK edit, a: changed
            b 1 changed edit -> b: changed
            """
        ),
        (
            "includes are told together, behind the task's results",
            """
            a 1 include x.yml ->
            b 1 skipped include -> TASK include, b: skipped
            a at 1.0.1 ->
            b at 2 -> included x.yml for a
            """
        ),
        (
            "a rescue belongs to its host's last task",
            """
            a 1 failed edit ->
            a 2 ok mend ->
            a 2 rescued block ->
            b end -> TASK edit, a: failed, TASK mend, a: ok, a: rescued
            """
        ),
    ]

    /// With one fork, hosts are told of in their order, though they are through in another.
    static let oneByOne = """
        b 1 ok ping ->
        b 2 ok edit ->
        a 1 ok ping -> TASK ping, a: ok
        a 2 ok edit -> b: ok, TASK edit, a: ok
        a end -> b: ok
        """

    @Test(arguments: scripts.indices) func script(_ index: Int) {
        play(Self.scripts[index].text, Self.scripts[index].name, Linearizer(hosts: ["a", "b"]))
    }

    @Test func hostOrder() {
        play(Self.oneByOne, "one by one", Linearizer(hosts: ["a", "b"], inHostOrder: true))
    }

    private func play(_ text: String, _ name: String, _ order: Linearizer) {
        var linearizer = order
        for line in text.split(separator: "\n") {
            let halves = String(line).components("->")
            let words = halves[0].split(separator: " ").map(String.init)
            let host = words[0] == "a" ? 0 : 1
            let events: [RunEvent]
            switch words[1] {
            case "end": events = linearizer.end(host)
            case "at": events = linearizer.reach(position(words[2]), by: host)
            default:
                let info = TaskInfo(name: words[3], module: words[3], place: nil)
                let at = position(words[1])
                let event: Event =
                    words[2] == "include"
                    ? .included(
                        at, TaskInfo(name: "include", module: "include_tasks", place: nil), path: words[3], label: "")
                    : .result(at, info, TaskResult(status: Status(rawValue: words[2]) ?? .ok, result: Dict()))
                events = linearizer.take([event], from: host)
            }
            let shown = events.compactMap(shownLine).joined(separator: ", ")
            #expect(shown == halves[1], "\(name): \(line)")
        }
    }
}

@Suite struct BatchTests {
    /// Oracle: `PlaybookExecutor._get_serialized_batches` of ansible-core 2.19 for ten hosts.
    @Test(arguments: [
        ("null", "10"), ("0", "10"), ("3", "3 3 3 1"), ("[1, 3]", "1 3 3 3"), ("\"30%\"", "3 3 3 1"),
        ("[\"10%\", \"100%\"]", "1 9"), ("\"1%\"", "1 1 1 1 1 1 1 1 1 1"), ("25", "10"), ("[2, 0]", "2 8"),
    ]) func sizes(_ serial: String, _ expected: String) throws {
        let value = try Value(json: serial)
        let groups = try batches(of: (0..<10).map(String.init), serial: value, at: nil)
        #expect(groups.map { String($0.count) }.joined(separator: " ") == expected)
    }

    @Test func whatIsNoSizeIsRefused() {
        #expect(throws: Diagnostic.self) { try batches(of: ["a"], serial: "many", at: nil) }
    }

    @Test func orders() throws {
        #expect(try ordered(["b", "c", "a"], by: "reverse_inventory", at: nil) == ["a", "c", "b"])
        #expect(try ordered(["b", "c", "a"], by: "sorted", at: nil) == ["a", "b", "c"])
        #expect(throws: Diagnostic.self) { try ordered(["a"], by: "sortd", at: nil) }
    }
}

@Suite struct ConnectionSettingsTests {
    private func settings(
        _ variables: Dict, _ keywords: Dict = Dict(), _ change: (inout ConnectionSettings.Defaults) -> Void = { _ in },
        isImplicit: Bool = false
    ) throws -> ConnectionSettings {
        var defaults = ConnectionSettings.Defaults()
        change(&defaults)
        return try ConnectionSettings(
            host: "web", variables: variables, keywords: keywords, defaults: defaults, isImplicit: isImplicit)
    }

    @Test func variablesWinOverKeywordsAndTheCommandLine() throws {
        let own = try settings(["ansible_user": "ops", "ansible_port": "2222"], ["remote_user": "deploy"]) {
            $0.user = "root"
        }
        #expect(own.user == "ops" && own.port == 2222 && own.kind == .ssh && own.address == "web")
        #expect(try settings(Dict(), ["remote_user": "deploy"]) { $0.user = "root" }.user == "deploy")
        #expect(try settings(Dict()) { $0.user = "root" }.user == "root")
    }

    @Test func connections() throws {
        #expect(try settings(Dict(), isImplicit: true).kind == .local)
        #expect(try settings(Dict(), ["connection": "local"]).kind == .local)
        #expect(try settings(["ansible_connection": "community.docker.docker"]).kind == .docker)
        #expect(throws: Diagnostic.self) { try settings(["ansible_connection": "winrm"]) }
        #expect(throws: Diagnostic.self) { try settings(["ansible_port": 99_999]) }
    }

    @Test func optionsReachTheTarget() throws {
        let own = try settings([
            "ansible_host": "10.0.0.9", "ansible_user": "ops", "ansible_ssh_private_key_file": "/k",
            "ansible_ssh_common_args": "-o UserKnownHostsFile=/kh -o StrictHostKeyChecking=accept-new",
        ])
        let (target, _) = try own.target(reading: [])
        #expect(target.host == "10.0.0.9" && target.user == "ops" && target.knownHostsFiles == ["/kh"])
        #expect(target.hostKeyPolicy == .acceptNew && target.identities == [.file("/k")])
        #expect(own.programArguments("x").suffix(3) == ["--", "10.0.0.9", "x"])
    }
}
