import Crypto
import Glibc
import Playbooks
import Templates
import Values

/// `password`: the password kept in a file, made when it is not there.
struct PasswordLookup {
    let files: DiskFiles

    func password(_ path: String, _ options: Dict) throws(Diagnostic) -> Value {
        let isKept = path != "/dev/null"
        let lock = isKept ? try locked(path) : -1
        defer { if lock >= 0 { close(lock) } }
        var entry = Entry()
        if isKept, let bytes = try files.contents(of: path) {
            entry = Entry(String(decoding: bytes, as: UTF8.self))
        } else {
            entry.password = try made(options)
        }
        let kept = entry
        let scheme = options["encrypt"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        if let scheme {
            entry.salt = entry.salt ?? PasswordHash.salt(length: scheme == "bcrypt" || scheme == "blowfish" ? 22 : 16)
            let wanted = options["ident"]?.text
            if let wanted, let ident = entry.ident, ident != wanted {
                throw Diagnostic("The ident parameter provided (\(wanted)) does not match the stored one (\(ident)).")
            }
            entry.ident = entry.ident ?? wanted ?? (scheme == "bcrypt" || scheme == "blowfish" ? "2b" : nil)
        }
        if isKept, entry != kept || files.kind(of: path) == nil { try write(entry.text, to: path) }
        let result = scheme == nil ? entry.password : try hashed(entry, scheme ?? "")
        return .string(Text(result, mark: Mark(isSecret: true)))
    }

    /// `PASSWORD salt=SALT ident=IDENT`, as the file has it.
    private struct Entry: Equatable {
        var password = ""
        var salt: String?
        var ident: String?

        init() {}

        init(_ content: String) {
            var text = content
            while text.last?.isWhitespace ?? false { text.removeLast() }
            password = text
            guard let mark = text.ranges(of: " salt=").last else { return }
            password = String(text[..<mark.lowerBound])
            let rest = text[mark.upperBound...]
            guard let second = rest.ranges(of: " ident=").last else {
                salt = String(rest)
                return
            }
            salt = String(rest[..<second.lowerBound])
            ident = String(rest[second.upperBound...])
        }

        var text: String { password + (salt.map { " salt=\($0)" } ?? "") + (ident.map { " ident=\($0)" } ?? "") }
    }

    private func made(_ options: Dict) throws(Diagnostic) -> String {
        let alphabet = Array(characters(options["chars"]))
        let length = options["length"]?.int ?? 20
        guard !alphabet.isEmpty, (1...4096).contains(length) else {
            throw Diagnostic("lookup 'password' needs a length from 1 to 4096 and characters to choose from")
        }
        return RandomText.of(alphabet, length: length, seed: options["seed"])
    }

    private func characters(_ given: Value?) -> String {
        let lower = "abcdefghijklmnopqrstuvwxyz"
        let punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
        let letters = lower + lower.uppercased()
        let blank = " \t\n\r\u{b}\u{c}"
        let sets = [
            "ascii_letters": letters, "digits": "0123456789", "punctuation": punctuation, "ascii_lowercase": lower,
            "ascii_uppercase": lower.uppercased(), "hexdigits": "0123456789abcdefABCDEF", "octdigits": "01234567",
            "whitespace": blank, "printable": "0123456789" + letters + punctuation + blank,
        ]
        let names = given.map { $0.list?.map(\.pythonText) ?? $0.pythonText.split(separator: ",").map(String.init) }
            ?? ["ascii_letters", "digits", ".,:-_"]
        return names.map { sets[$0] ?? $0 }.joined().filter { $0 != "\"" && $0 != "'" }
    }

    private func hashed(_ entry: Entry, _ scheme: String) throws(Diagnostic) -> String {
        do throws(TemplateError) {
            return try HashedPassword.of(entry.password, kind: scheme, salt: entry.salt, ident: entry.ident)
        } catch { throw error.diagnostic }
    }

    // MARK: Files

    private func write(_ text: String, to path: String) throws(Diagnostic) {
        do throws(CommandFailure) { try Output.write(text + "\n", to: path, mode: 0o600) } catch {
            throw error.diagnostics.first ?? Diagnostic("cannot write '\(path)'")
        }
    }

    /// Hosts ask at the same time, of several runs perhaps: the first makes the password, the others read it.
    private func locked(_ path: String) throws(Diagnostic) -> Int32 {
        let folder = Playbooks.folder(of: path)
        try makeFolders(folder)
        let lock = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw Diagnostic("cannot open the folder '\(folder)': \(Disk.message(errno))") }
        while flock(lock, LOCK_EX) != 0, errno == EINTR {}
        return lock
    }

    private func makeFolders(_ folder: String) throws(Diagnostic) {
        guard files.kind(of: folder) == nil, !folder.isEmpty else { return }
        let parent = Playbooks.folder(of: folder)
        if parent != folder { try makeFolders(parent) }
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw Diagnostic("cannot make the folder '\(folder)': \(Disk.message(errno))")
        }
    }
}
