@testable import Controller
import Testing
import Values
import Wire

/// What a node that was taken over may get out of the controller.
@Suite struct TrustTests {
    private let basis = SearchBasis(roles: ["/srv/site/roles/web"], taskFolder: "/srv/site", playFolder: "/srv/site")

    private func plan(_ tasks: [(module: String, arguments: Value, keywords: Dict)]) -> PlayPlan {
        var plan = PlayPlan(name: "p", place: nil, index: 0, host: "a", settings: RunSettings())
        let place = Place(file: SourceFile(name: "site.yml"), line: 1, column: 1)
        plan.bases = [basis]
        plan.steps = tasks.enumerated().map { number, task in
            .task(
                TaskPlan(
                    ordinal: number, place: place, name: nil, module: task.module, arguments: task.arguments,
                    keywords: task.keywords, inherited: Dict(), role: nil, basis: 0))
        }
        return plan
    }

    private func call(_ module: String) -> ModuleCall {
        ModuleCall(
            module: module, arguments: Dict(), checkMode: false, diffMode: false, environment: Dict(), verbosity: 0,
            become: nil, isHidden: false, basis: basis)
    }

    @Test func commandsOfLookupsMustBeInThePlan() {
        var none = Trust(plan([("debug", ["msg": "{{ x }}"], Dict())]))
        #expect(none.refusal(of: .lookup(plugin: "pipe", terms: ["id"], options: Dict(), basis)) != nil)
        #expect(none.refusal(of: .lookup(plugin: "file", terms: ["x"], options: Dict(), basis)) == nil)
        var named = Trust(plan([("debug", ["msg": "{{ lookup('pipe', 'id') }}"], Dict())]))
        #expect(named.refusal(of: .lookup(plugin: "pipe", terms: ["id"], options: Dict(), basis)) == nil)
        var looped = Trust(plan([("debug", Value.null, ["with_lines": "id"])]))
        #expect(looped.refusal(of: .lookup(plugin: "lines", terms: ["id"], options: Dict(), basis)) == nil)
    }

    @Test func pluginsMustBeInThePlan() {
        func refused(_ keywords: Dict) -> Bool {
            var trust = Trust(plan([("debug", Value.null, keywords)]))
            return trust.refusal(of: .converse(["begin": ["name": "community.general.filetree"], "id": "1"])) != nil
        }
        #expect(refused(Dict()))
        #expect(refused(["with_filetrees": ["x"]]))
        #expect(!refused(["with_community.general.filetree": ["x"]]))
        #expect(!refused(["with_filetree": ["x"]]))
        #expect(!refused(["loop": "{{ query('community.general.filetree', 'x') }}"]))
    }

    @Test func delegatedModulesMustBeInThePlan() {
        var trust = Trust(plan([("command", Value.null, ["delegate_to": "lb"]), ("file", Value.null, Dict())]))
        func question(_ host: String, _ module: String) -> Question {
            .delegate(host: host, call(module), variables: Dict(), Position([0]), throttle: 0)
        }
        #expect(trust.refusal(of: question("lb", "command")) == nil)
        #expect(trust.refusal(of: question("localhost", "command")) != nil)
        #expect(trust.refusal(of: question("lb", "shell")) != nil)
    }

    @Test func howAHostIsReachedMustBeInThePlan() {
        func refused(_ trust: Trust, _ host: String, _ module: String, _ names: [String]) -> Bool {
            var trust = trust
            let variables = Dict(names.map { ($0, Value.string("x")) })
            return trust.refusal(
                of: .delegate(host: host, call(module), variables: variables, Position([0]), throttle: 0)) != nil
        }
        let vars: Value = ["ansible_port": 22]
        let plain = Trust(plan([("command", Value.null, ["delegate_to": "lb", "vars": vars]), ("ping", "", Dict())]))
        #expect(!refused(plain, "lb", "command", ["ansible_port"]))
        #expect(refused(plain, "lb", "command", ["ansible_port", "ansible_connection"]))
        #expect(!refused(plain, "a", "command", ["ansible_port"]))
        #expect(refused(plain, "a", "ping", ["ansible_port"]))
        let written = Trust(plan([("set_fact", ["ansible_connection": "local"], Dict()), ("ping", "", Dict())]))
        #expect(!refused(written, "a", "ping", ["ansible_connection"]))
        #expect(refused(written, "a", "ping", ["ansible_ssh_common_args"]))
        let chosen = Trust(plan([("set_fact", "{{ facts }}", Dict()), ("ping", "", Dict())]))
        #expect(!refused(chosen, "a", "ping", ["ansible_port", "ansible_host"]))
        #expect(refused(chosen, "a", "ping", ["ansible_connection"]))
        #expect(refused(chosen, "a", "ping", ["ansible_ssh_args"]))
    }

    @Test func filesOutsideOfTheProjectMustBeNamed() {
        let path = "/root/.ssh/id_ed25519"
        var trust = Trust(plan([("copy", ["src": "{{ keys }}/x.pub", "y": "/srv/keys"], Dict())]))
        func question(_ name: String) -> Question { .file(FileRequest(kind: .files, name: name, basis: basis)) }
        #expect(trust.refusal(of: question(path)) != nil)
        #expect(trust.refusal(of: question("../../../root/.ssh/id_ed25519")) != nil)
        #expect(trust.refusal(of: question("motd")) == nil)
        #expect(trust.refusal(of: question("/srv/site/roles/web/files/motd")) == nil)
        #expect(trust.refusal(of: question("/srv/keys/x.pub")) == nil)
        #expect(trust.refusal(of: .contents(digest: "00", path: path)) != nil)
        trust.note(.file(FileEntry(path: "/srv/site/files/motd", digest: "ab", size: 1, mode: 0o644), searched: []))
        #expect(trust.refusal(of: .contents(digest: "ab", path: "/srv/site/files/motd")) == nil)
    }
}
