import Templates
import Testing
import Values

@Suite struct TemplaterTests {
    private let mark = Mark(isTemplate: true)
    private func template(_ text: String) -> Text { Text(text, mark: mark) }

    @Test func whatASecretWentIntoIsSecret() throws {
        let secret = Value.string(Text("hunter2", mark: Mark(isSecret: true)))
        let scope = DictScope(["pw": secret, "user": "ann", "both": ["pw": secret, "user": "ann"],
            "url": .string(template("{{ user }}:{{ pw }}"))])
        func isSecret(_ text: String) throws -> Bool {
            guard case .string(let result) = try Templater().render(template(text), in: scope) else { return false }
            return result.isSecret
        }
        #expect(try isSecret("{{ pw }}"))
        #expect(try isSecret("x{{ pw | upper }}"))
        #expect(try isSecret("{{ url }}"))
        #expect(try isSecret("{{ both.pw }}"))
        #expect(try !isSecret("{{ user }}"))
        #expect(try !isSecret("{{ both.user }}"))
        let whole = try Templater().render(template("{{ both }}"), in: scope)
        guard case .string(let user) = whole["user"], case .string(let pw) = whole["pw"] else {
            Issue.record("not a mapping")
            return
        }
        #expect(!user.isSecret && pw.isSecret)
    }

    @Test func resultsAreNeverTemplatesAgain() throws {
        let scope = DictScope(["evil": "{{ 1 + 1 }}", "boss": .string(template("{{ evil }}"))])
        let result = try Templater().render(template("{{ boss }}"), in: scope)
        #expect(result == "{{ 1 + 1 }}")
        guard case .string(let text) = result else { return }
        #expect(!text.isTemplate)
        #expect(try Templater().condition(template("{{ evil }}"), in: scope))
    }

    @Test func omittedMembersDrop() throws {
        let value: Value = ["a": .string(template("{{ omit }}")), "b": .list([.string(template("{{ omit }}")), 1])]
        #expect(try Templater().render(value, in: DictScope([:])) == ["b": [1]])
        #expect(Templater.isOmit(try Templater().render(template("{{ x | default(omit) }}"), in: DictScope([:]))))
    }

    @Test func namesThatATextReadsAreTold() {
        let templater = Templater()
        func names(_ text: String) -> Set<String>? { templater.freeNames(in: Text(text), asExpression: false) }
        #expect(names("plain") == [])
        #expect(names("{{ a.b[c] | default(d) }}") == ["a", "c", "d"])
        #expect(names("{% for i in l %}{{ i }}{{ loop.index }}{% endfor %}{{ i }}") == ["l", "i"])
        #expect(names("{% set x = y %}{{ x }}") == ["y"])
        #expect(names("{{ hostvars[h].ip }}") == ["hostvars", "h"])
        #expect(names("{{ lookup('vars', 'x') }}") == ["x"])
        #expect(names("{{ lookup('env', '{{ inner }}') }}") == ["inner"])
        #expect(names("{{ lookup('vars', 'x' ~ y) }}") == nil)
        #expect(names("{{ vars['q'] }}") == ["q"])
        #expect(names("{{ vars[q] }}") == nil)
        #expect(names("{% include 'f' %}") == nil)
        #expect(names("{% macro m(p) %}{{ p }}{{ o }}{% endmacro %}{{ m(1) }}") == ["o"])
        #expect(templater.freeNames(in: Text("a == 1 and b is defined"), asExpression: true) == ["a", "b"])
    }

    @Test func checkFindsMistakesWithoutEvaluating() {
        let templater = Templater()
        #expect(templater.check(Text("{{ a | upper }} {% if b %}x{% endif %}"), asExpression: false).isEmpty)
        let unknown = templater.check(Text("{{ a | uper }}{{ b is nope }}{{ c | map('zz') }}"), asExpression: false)
        #expect(unknown.count == 3)
        #expect(unknown.first?.hint == "did you mean 'upper'?")
        #expect(templater.check(Text("a = 1"), asExpression: true).first?.hint == "compare with '=='")
    }

    @Test func strictConditionsWantBooleans() throws {
        let templater = Templater()
        #expect(try templater.condition(Text("1"), in: DictScope([:])))
        templater.allowsBrokenConditions = false
        #expect(throws: TemplateError.self) { try templater.condition(Text("1"), in: DictScope([:])) }
        #expect(try templater.condition(Text("1 == 1"), in: DictScope([:])))
    }

    private struct Lookups: Scope {
        func value(of name: String) throws(TemplateError) -> Value? { name == "who" ? "me" : nil }
        var names: [String] { ["who"] }
        func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
            if plugin == "fail" { throw TemplateError("lookup failed") }
            return plugin == "echo" ? terms : [.string("\(plugin)\(terms.count)\(options.count)")]
        }
        func object(named name: String) -> (any TemplateObject)? { name == "hostvars" ? Hosts() : nil }
    }

    private struct Hosts: TemplateObject {
        func member(_ key: Value) throws(TemplateError) -> Value? { key == "web" ? ["ip": "10.0.0.1"] : nil }
        var keys: [Value] { get throws(TemplateError) { ["web"] } }
    }

    @Test(arguments: [
        ("{{ lookup('one', 'a') }}", "one10"), ("{{ lookup('echo', 'a', 'b') }}", "a,b"),
        ("{{ query('echo', 'a', 1) }}", ["a", 1]), ("{{ lookup('echo', 1, 2) }}", [1, 2]),
        ("{{ lookup('echo', '{{ who }}') }}", "me"),
        ("{{ lookup('fail', errors='ignore') | default('d', true) }}", "d"),
        ("{{ lookup('one', 'a', x=1) }}", "one11"), ("{{ q('fail', errors='ignore') }}", []),
        ("{{ lookup('echo', ['a'], wantlist=true) }}", [["a"]]), ("{{ hostvars['web'].ip }}", "10.0.0.1"),
        ("{{ hostvars.web.ip }}", "10.0.0.1"), ("{{ 'web' in hostvars }}", true), ("{{ hostvars | list }}", ["web"]),
        ("{{ hostvars['db'] is defined }}", false), ("{{ hostvars.keys() | list }}", ["web"]),
        ("{{ ['web'] | map('extract', hostvars, 'ip') | list }}", ["10.0.0.1"]),
        ("{{ hostvars['db'].ip | default('none') }}", "none"),
    ] as [(String, Value)])
    func lookupsAndObjectsAreTheScopes(text: String, wanted: Value) throws {
        #expect(try Templater().render(template(text), in: Lookups()) == wanted)
    }

    @Test func filesTakeTheModulesOptions() throws {
        var options = FileOptions()
        options.variableStart = "[["
        options.variableEnd = "]]"
        options.newline = "\r\n"
        let text = try Templater().renderFile(Text("a [[ 1 + 1 ]]\nb\n"), options: options, in: DictScope([:]))
        #expect(text == "a 2\r\nb\r\n")
    }
}
