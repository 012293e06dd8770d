import Crypto
import Testing

@Suite struct PasswordHashTests {
    /// Each line of `Cases/hashes.tsv`, which libxcrypt made (`Cases/make-hashes`).
    @Test func hashesAsCrypt() throws {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let table = String(decoding: try #require(bytes(ofFile: "/\(folder)/Cases/hashes.tsv")), as: UTF8.self)
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let number = try #require(Int(fields[3]))
            let rounds = number == 0 ? nil : number
            let hash =
                switch fields[0] {
                case "1": PasswordHash.md5(fields[1], salt: fields[2])
                case "5": PasswordHash.sha256(fields[1], salt: fields[2], rounds: rounds)
                case "6": PasswordHash.sha512(fields[1], salt: fields[2], rounds: rounds)
                default: PasswordHash.bcrypt(fields[1], salt: fields[2], cost: number)
                }
            #expect(hash == fields[4], "\(line)")
        }
        #expect(table.split(separator: "\n").count == 64)
    }

    @Test func refusesAnotherSalt() {
        #expect(PasswordHash.bcrypt("x", salt: "short") == nil)
        #expect(PasswordHash.bcrypt("x", salt: "!bcdefghijklmnopqrstuu") == nil)
        #expect(PasswordHash.bcrypt("x", salt: "abcdefghijklmnopqrstuu", cost: 3) == nil)
        #expect(PasswordHash.salt(length: 22).utf8.count == 22)
        #expect(PasswordHash.salt() != PasswordHash.salt())
    }
}
