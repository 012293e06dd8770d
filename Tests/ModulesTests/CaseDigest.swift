import Machine
enum CaseDigest {
    static func sha256(_ bytes: [UInt8]) -> String {
        let m = LinuxMachine()
        return (try? m.run(Command(["sha256sum"], input: bytes)).outputText.split(separator: " ").first.map(String.init)) ?? ""
    }
}
