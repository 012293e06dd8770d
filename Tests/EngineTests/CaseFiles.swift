import Glibc
import Values

/// The names of the files in `Cases` that end in `suffix`, without it.
func caseNames(suffix: String = ".case") -> [String] {
    guard let directory = unsafe opendir(casePath("")) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name.hasSuffix(suffix) { names.append(String(name.dropLast(suffix.count))) }
    }
    return names.sorted()
}

func casePath(_ name: String) -> String {
    #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Cases/" + name
}

func caseText(_ name: String) -> String? {
    guard let file = unsafe fopen(casePath(name), "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer.prefix(count)
    }
}

func write(_ text: String, toCase name: String) {
    guard let file = unsafe fopen(casePath(name), "w") else { return }
    unsafe fputs(text, file)
    unsafe fclose(file)
}

var isRegenerating: Bool { unsafe getenv("GANTRY_REGENERATE") != nil }

/// A case: files under lines `-- PATH --`, the playbook in front, and behind a line `====` what is to come of it.
struct Case {
    var files: [String: String] = [:]
    var input: String
    var expected: String

    init(_ name: String) {
        let text = caseText(name + ".case") ?? ""
        let halves = text.split(separator: "====\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        input = halves[0]
        expected = halves.count > 1 ? halves[1] : ""
        var path = "site.yml"
        for line in input.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-- "), line.hasSuffix(" --") {
                path = String(line.dropFirst(3).dropLast(3))
            } else {
                files[path, default: ""] += line + "\n"
            }
        }
    }
}
