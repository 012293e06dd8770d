import Glibc
enum CaseDigest {
    static func sha256(_ bytes: [UInt8]) -> String { "" }
}
