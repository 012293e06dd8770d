import Glibc

/// The names in `FOLDER` of these tests, sorted.
func caseNames(_ folder: String) -> [String] {
    guard let directory = unsafe opendir(casePath(folder)) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
}

func casePath(_ name: String) -> String {
    #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/" + name
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

/// Compares with the expectation; with `GANTRY_REGENERATE=1` in the environment writes it instead.
func matchesCase(_ name: String, _ text: String) -> Bool {
    if unsafe getenv("GANTRY_REGENERATE") != nil {
        guard let file = unsafe fopen(casePath(name), "w") else { return false }
        unsafe fputs(text, file)
        unsafe fclose(file)
        return true
    }
    return caseText(name) == text
}
