import Testing
import Values
import YAML

@Suite struct YAMLTests {
    /// What PyYAML reads, as JSON: written by `regenerate.py`.
    @Test(arguments: caseNames("values", suffix: ".yml"))
    func readsAsPyYAML(_ name: String) throws {
        let text = try #require(caseText("values/\(name).yml"))
        let expected = try Value(json: try #require(caseText("values/\(name).json")))
        let (nodes, _) = try YAMLReader.documents(text, file: SourceFile(name: name, text: text))
        let decrypt: @Sendable (Text) throws(Diagnostic) -> Text = { Text("decrypted:" + $0.string) }
        let values = try nodes.map { try $0.value(ValueOptions(decrypt: decrypt)) }
        // As text, since 1 and 1.0 are equal as values.
        #expect(Value.list(values).json(JSONStyle(indent: 1)) == expected.json(JSONStyle(indent: 1)))
    }

    /// What PyYAML writes: `regenerate.py`.
    @Test(arguments: caseNames("dumps", suffix: ".json"))
    func writesAsPyYAML(_ name: String) throws {
        let value = try Value(json: try #require(caseText("dumps/\(name).json")))
        let styles: [(String, YAMLStyle)] = [
            ("inventory", YAMLStyle()), ("to_yaml", YAMLStyle(flow: nil)), ("to_nice_yaml", YAMLStyle(indent: 4)),
            ("unsorted", YAMLStyle(indent: 3, width: 40, sortKeys: false)), ("flow", YAMLStyle(flow: true)),
            ("ascii", YAMLStyle(explicitStart: true, unicode: false)),
        ]
        var out = ""
        for (title, style) in styles { out += "==== \(title)\n" + (try yamlText(value, style)) }
        #expect(out == caseText("dumps/\(name).txt"))
    }

    /// Errors and warnings, with their exact text.
    @Test(arguments: caseNames("errors", suffix: ".yml"))
    func explainsMistakes(_ name: String) throws {
        let text = try #require(caseText("errors/\(name).yml"))
        var out = ""
        do throws(Diagnostic) {
            let (_, warnings) = try YAMLReader.documents(text, file: SourceFile(name: "case.yml", text: text))
            out = warnings.map { $0.rendered + "\n" }.joined()
        } catch { out = error.rendered + "\n" }
        #expect(matchesCase("errors/\(name).txt", out), "\(out)")
    }

    @Test func marksTemplatesSecretsAndPlaces() throws {
        let text = """
            plain: text
            quoted: "{{ a }}"
            block: |
              first
              {{ b }}
            raw: !unsafe "{{ c }}"
            vaulted: !vault |
              cipher
            """
        let file = SourceFile(name: "x.yml", text: text)
        let node = try #require(try YAMLReader.document(text, file: file).node)
        let options = ValueOptions(decrypt: { (_: Text) throws(Diagnostic) -> Text in Text("{{ d }}") })
        let dict = try #require(try node.value(options).dict)
        func mark(_ key: String) -> Mark? { if case .string(let text)? = dict[key] { text.mark } else { nil } }
        #expect(mark("plain")?.isTemplate == false)
        #expect(mark("quoted")?.isTemplate == true)
        #expect(mark("quoted")?.place.map { "\($0)" } == "x.yml:2:10")
        #expect(mark("block")?.isTemplate == true)
        #expect(mark("block")?.place.map { "\($0)" } == "x.yml:4:3")
        #expect(mark("raw")?.isTemplate == false)
        #expect(mark("vaulted")?.isTemplate == false)
        #expect(mark("vaulted")?.isSecret == true)
        #expect(node["vaulted"].map { "\($0.place)" } == "x.yml:7:10")
        #expect(try YAMLReader.value("a: '{{ x }}'", name: "f")["a"]?.isTrusted == false)
        // Without a way to open it, it stays what it is, for whoever reads it.
        guard case .string(let sealed)? = try node.value()["vaulted"] else { throw Diagnostic("not a string") }
        #expect(sealed.mark?.seal == .closed && sealed.string == "cipher" && "\(sealed)" == "(hidden)")
    }

    /// Far below what a build for release reaches; here to notice when something becomes quadratic.
    @Test func readsALargeFile() throws {
        let block = "- name: install {{ item }}\n  apt: {name: \"{{ item }}\", state: present}\n  when: x == 'y'\n"
        let text = String(repeating: block, count: 20_000)
        let clock = ContinuousClock()
        var count = 0
        let time = try clock.measure {
            let nodes = try YAMLReader.documents(text, file: SourceFile(name: "big", text: text)).nodes
            count = try nodes[0].value().list?.count ?? 0
        }
        print("YAML: \(text.utf8.count) bytes in \(time)")
        #expect(count == 20_000)
        #expect(time < .seconds(20))
    }
}

extension Value {
    fileprivate var isTrusted: Bool { if case .string(let text) = self { text.isTemplate } else { false } }
}
