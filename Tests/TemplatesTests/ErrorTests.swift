import Templates
import Testing
import Values

/// What a person reads when a template is wrong; the texts are written here and reviewed.
@Suite struct ErrorTests {
    private func rendered(_ template: String, _ variables: Dict = [:], file text: String? = nil) -> String {
        let file = SourceFile(name: "site.yml", text: text ?? template)
        let mark = Mark(place: Place(file: file, line: 1, column: 1), isTemplate: true)
        do throws(TemplateError) {
            _ = try Templater().render(Text(template, mark: mark), in: DictScope(variables))
            return "no error"
        } catch { return error.diagnostic.rendered }
    }

    @Test func anUndefinedNameIsPointedAt() {
        let text = rendered("listen {{ listen_prot }};", ["listen_port": 80])
        #expect(
            text == """
                site.yml:1:11: error: 'listen_prot' is undefined
                  1 | listen {{ listen_prot }};
                    |           ^~~~~~~~~~~ did you mean 'listen_port'?
                """)
    }

    @Test func aMissingMemberNamesTheNearest() {
        let text = rendered("{{ user.nmae }}", ["user": ["name": "x"]])
        #expect(
            text == """
                site.yml:1:4: error: object of type 'dict' has no attribute 'nmae'
                  1 | {{ user.nmae }}
                    |    ^~~~~~~~~ did you mean 'name'?
                """)
    }

    @Test(arguments: [
        ("{{ x | uper }}", "1:8: error: there is no filter named 'uper'", "did you mean 'upper'?"),
        ("{{ x is defind }}", "1:9: error: there is no test named 'defind'", "did you mean 'defined'?"),
        ("{% fro x in y %}", "1:4: error: unknown tag 'fro'", "did you mean 'for'?"),
        ("{% if x %}", "1:4: error: block 'if' is never closed", "expected 'endif'"),
        ("{{ (1 }}", "1:7: error: unexpected '}'", "expected ')'"),
        ("{{ 'a }}", "1:4: error: string is never closed", "expected '"),
        ("{{ 1 + }}", "1:8: error: unexpected end of print statement", ""),
        ("{{ 1 / 0 }}", "1:4: error: division by zero", ""),
        ("{{ 'a' + 1 }}", "can only concatenate str (not \"int\") to str", ""),
        ("{% endfor %}", "1:4: error: unexpected tag 'endfor'", "no block is open"),
    ])
    func mistakesNameThePlaceAndTheWayOut(template: String, message: String, hint: String) {
        let text = rendered(template, ["x": 1])
        #expect(text.contains(message), "\(text)")
        #expect(text.contains(hint), "\(text)")
    }

    @Test func placesCountLinesOfTheFile() {
        let text = rendered("a\n  {{ nope }}\n", file: "a\n      {{ nope }}\n")
        #expect(text.hasPrefix("site.yml:2:10: error: 'nope' is undefined"), "\(text)")
    }

    @Test func anErrorInAVariableNamesTheVariable() {
        let file = SourceFile(name: "vars.yml", text: "url: http://{{ hots }}/")
        let url = Text("http://{{ hots }}/", mark: Mark(place: Place(file: file, line: 1, column: 6), isTemplate: true))
        let text = rendered("{{ url }}", ["url": .string(url), "host": "h"])
        #expect(text.hasPrefix("vars.yml:1:16: error: 'hots' is undefined"), "\(text)")
        #expect(text.contains("did you mean 'host'?"), "\(text)")
    }

    @Test func variablesThatDefineThemselvesAreNamed() {
        let mark = Mark(isTemplate: true)
        let variables: Dict = [
            "a": .string(Text("{{ b }}", mark: mark)), "b": .string(Text("{{ a }}", mark: mark)),
        ]
        #expect(rendered("{{ a }}", variables).contains("a → b → a"))
    }

    @Test(arguments: [
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ range(99999999999) | list }}", "{{ 'x' * 9999999999 }}",
        "{% for i in range(1000000) %}{% for j in range(1000000) %}{% endfor %}{% endfor %}", "{{ 9 ** 9999999 }}",
        "{{ [[1]] * 9999999999 }}", "{{ '%999999999d' % 1 }}", "{{ 'a'.ljust(9999999999) }}",
    ])
    func nothingRunsAway(template: String) {
        let templater = Templater(limits: Limits(iterations: 20_000))
        #expect(throws: TemplateError.self) {
            try templater.render(Text(template, mark: Mark(isTemplate: true)), in: DictScope([:]))
        }
    }

    @Test func deepNestingIsRefusedNotCrashed() {
        let deep = "{{ " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000) + " }}"
        #expect(rendered(deep).contains("nested more than"))
        let minus = "{{ " + String(repeating: "-", count: 5000) + "1 }}"
        #expect(rendered(minus).contains("nested more than"))
        let blocks = String(repeating: "{% if true %}", count: 5000)
        #expect(rendered(blocks).contains("nested more than"))
    }
}
