import Crypto
import Testing

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func encodesAndDecodes(_ plain: String, _ encoded: String) throws {
        #expect(Base64.encode(plain.utf8) == encoded)
        #expect(try Base64.decode(encoded) == Array(plain.utf8))
    }

    /// What Python's `base64.b64decode` makes of them.
    @Test(arguments: [
        ("Zm9v\nYmFy\n", "foobar"), ("Zm 9v", "foo"), ("Zg==Zg==", "f"), ("=Zg==", "f"), ("Zm9v=", "foo"),
        ("Z!g=-=", "f"), ("Zm9v====", "foo"),
    ])
    func toleratesWhatPythonTolerates(_ encoded: String, _ plain: String) throws {
        #expect(try Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zm9vY", "Zm8"])
    func refusesIncompleteText(_ encoded: String) {
        #expect(throws: Base64Error.self) { try Base64.decode(encoded) }
    }

    @Test func readsAndWritesHexadecimal() {
        #expect(Hex.encode([0, 15, 255]) == "000fff")
        #expect(Hex.decode("000FfF") == [0, 15, 255])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
        #expect(Hex.decode("é") == nil)
        #expect(Hex.decode("") == [])
    }
}
