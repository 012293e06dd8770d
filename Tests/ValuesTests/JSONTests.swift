import Testing
import Values

@Suite struct JSONTests {
    @Test(arguments: [
        #"{"a": [1, 2.5, -3, true, null], "b": {"c": "x\n\u00e9"}}"#, "[]", "{}", #""\ud83d\ude00""#, "1e+20",
    ])
    func readsWhatItWrites(_ text: String) throws {
        let value = try Value(json: text)
        #expect(value.json() == text)
    }

    @Test(arguments: ["{", "[1,]", "{\"a\" 1}", "tru", "\"a", "1 2", "{1: 2}", "\"\\x\"", "-"])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(throws: JSONError.self) { try Value(json: text) }
    }

    @Test func writesFloatsAsPython() {
        let expected: [(Double, String)] = [
            (1, "1.0"), (0.1, "0.1"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (0.0001, "0.0001"),
            (0.00001, "1e-05"), (1.5e300, "1.5e+300"), (-2.5, "-2.5"), (123456789012345.6, "123456789012345.6"),
        ]
        for (double, text) in expected { #expect(Value.repr(of: double) == text) }
    }

    @Test func comparesAsPython() {
        #expect(Value.int(1) == .bool(true))
        #expect(Value.int(1) == .double(1))
        #expect(Value.string("1") != .int(1))
        #expect(Value.dict(["a": 1, "b": 2]) == .dict(["b": 2, "a": .double(1)]))
        #expect(Value.string("it's").pythonRepr == "\"it's\"")
    }
}
