import Crypto
import Testing

/// Known answers of FIPS 180-4, RFC 1321, RFC 4231, RFC 7914 and RFC 8032.
@Suite struct DigestTests {
    @Test(arguments: [
        (DigestAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e"),
        (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (
            .sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
            "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"
        ),
        (
            .sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
        (
            .sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"
        ),
        (
            .sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
        ),
    ])
    func digestsKnownTexts(_ algorithm: DigestAlgorithm, abc: String, empty: String) {
        #expect(algorithm.hex(of: "abc") == abc)
        #expect(algorithm.hex(of: [UInt8]()) == empty)
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func streamsInPiecesOfAnySize(_ algorithm: DigestAlgorithm) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var digest = Digest(algorithm)
        var start = 0
        for size in 0..<45 {
            let end = min(bytes.count, start + size)
            digest.update(Array(bytes[start..<end]))
            start = end
        }
        digest.update(Array(bytes[start...]))
        let copy = digest
        #expect(digest.finish() == algorithm.digest(of: bytes))
        #expect(copy.finishHex() == algorithm.hex(of: bytes))
    }

    @Test func authenticatesKnownTexts() {
        let short = HMAC.code(key: Array("Jefe".utf8), of: Array("what do ya want for nothing?".utf8))
        #expect(Hex.encode(short) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let long = HMAC.code(
            key: [UInt8](repeating: 0xaa, count: 131),
            of: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8))
        #expect(Hex.encode(long) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        let wide = HMAC.code(.sha512, key: Array("Jefe".utf8), of: Array("what do ya want for nothing?".utf8))
        #expect(Hex.encode(wide).hasPrefix("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"))
    }

    @Test func derivesKnownKeys() throws {
        let one = try PasswordKey.derived(from: Array("passwd".utf8), salt: Array("salt".utf8), rounds: 1, length: 64)
        #expect(
            Hex.encode(one) == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783")
        let many = try PasswordKey.derived(
            from: Array("Password".utf8), salt: Array("NaCl".utf8), rounds: 80000, length: 64)
        #expect(
            Hex.encode(many) == "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
                + "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d")
    }

    @Test func comparesWhole() {
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
        #expect(constantTimeEqual([], []))
        #expect(randomBytes(32) != randomBytes(32))
    }
}

@Suite struct SigningTests {
    @Test func signsAsTheStandardSays() throws {
        let seed = try #require(Hex.decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
        let key = try SigningKey(seed: seed)
        #expect(
            Hex.encode(key.verifyingKey.bytes) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        let signature = try key.signature(of: [0x72])
        #expect(
            Hex.encode(signature) == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        #expect(key.verifyingKey.verifies(signature, of: [0x72]))
        #expect(!key.verifyingKey.verifies(signature, of: [0x73]))
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.verifyingKey.verifies(changed, of: [0x72]))
        }
        #expect(!key.verifyingKey.verifies([], of: [0x72]))
        let empty = try key.signature(of: [])
        #expect(key.verifyingKey.verifies(empty, of: []))
    }

    @Test func keepsKeysInOneLine() throws {
        let key = try SigningKey.generate()
        #expect(key.text.hasPrefix("gantry-ed25519-secret "))
        #expect("\(key)" == "(hidden)")
        let again = try SigningKey(text: key.text)
        #expect(again.verifyingKey == key.verifyingKey)
        #expect(try VerifyingKey(text: key.verifyingKey.text) == key.verifyingKey)
        #expect(try VerifyingKey(text: "\(key.verifyingKey) root@registry") == key.verifyingKey)
        #expect(try SigningKey.generate().verifyingKey != key.verifyingKey)
    }

    @Test func refusesWhatIsNoKey() throws {
        let key = try SigningKey.generate()
        let cases = [
            ("", "this is not a public key: expected one line, 'gantry-ed25519 BASE64'"),
            (
                key.text,
                "this is not a public key but the other half of the pair: its line begins with 'gantry-ed25519-secret'"
            ),
            ("gantry-ed25519 AAAA", "damaged public key: expected 32 bytes behind 'gantry-ed25519', found 3"),
            ("gantry-ed25519 AAA", "damaged public key: base64 text lacks its padding ('=')"),
        ]
        for (text, message) in cases {
            let error = #expect(throws: CryptoError.self) { try VerifyingKey(text: text) }
            #expect(error?.message == message)
        }
    }
}
