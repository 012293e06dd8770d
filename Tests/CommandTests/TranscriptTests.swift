import Glibc
import Testing

/// What a person sees: each case in `Cases` is played with the built `gantry`, and its words and status are compared.
///
/// `GANTRY_REGENERATE=1` writes the cases anew; read every line of the difference before it is kept.
/// `GANTRY_CASES=vault` plays only the cases with that word in their names.
@Suite struct TranscriptTests {
    @Test(arguments: caseNames())
    func saysAsWritten(_ name: String) throws {
        let program = try #require(Self.program, "build gantry first, or say where it is with GANTRY_BIN")
        let written = try read("\(caseFolder)/\(name)")
        let transcript = Transcript(written)
        if let obstacle = Scene.obstacle(transcript) {
            print("\(name): SKIPPED: \(obstacle)")
            return
        }
        let scene = try Scene(transcript, program: program)
        var played = transcript
        played.commands = try transcript.commands.map { try scene.play($0.line) }
        if unsafe getenv("GANTRY_REGENERATE") != nil {
            try write(played.text, to: "\(caseFolder)/\(name)")
        } else {
            for (is_, wanted) in zip(played.commands, transcript.commands) {
                #expect(is_ == wanted, "\(name): $ \(is_.line)\n\(is_.output)\(is_.errors)= \(is_.status)")
            }
            #expect(!transcript.commands.isEmpty, "\(name) has no command")
        }
    }

    /// The program beside the tests, or the one that `GANTRY_BIN` names.
    private static let program: String? = {
        let given = unsafe getenv("GANTRY_BIN").map { unsafe String(cString: $0) }
        let root = folderName(folderName(folderName(caseFolder)))
        return ([given].compactMap { $0 } + ["debug", "release"].map { "\(root)/.build/\($0)/gantry" })
            .first { unsafe access($0, X_OK) == 0 }
    }()
}

private let caseFolder = folderName(#filePath) + "/Cases"

private func caseNames() -> [String] {
    guard let directory = unsafe opendir(caseFolder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    let wanted = unsafe getenv("GANTRY_CASES").map { unsafe String(cString: $0) }
    return names.filter { name in wanted.map { name.contains($0) } ?? true }.sorted()
}
