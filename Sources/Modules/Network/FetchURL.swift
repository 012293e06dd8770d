import Crypto
import HTTP
import Machine
import Values

/// `get_url`: a file from a web server.
struct FetchURL: FileMaker {
    var web = WebOptions()
    var common = FileArguments()
    var dest = ""
    var backup = false
    var checksum = ""
    var timeout = 10
    var tmpDest: String?
    init() {}

    static let schema = Schema<FetchURL>(
        "get_url", "Fetches a file from a web server to the node.",
        WebOptions.rows.map { Parameter($0, in: \.web) } + [
            Parameter("dest", \.dest, required: true, "Where it goes; in a folder it gets the server's name for it."),
            Parameter("backup", \.backup, default: "false", "Keep a copy of the old file."),
            Parameter(
                "checksum", \.checksum,
                "What the content must be: sha256:HEX, or sha256:ADDRESS of a file of checksums. "
                    + "A file that has it already is not fetched again."),
            Parameter("timeout", \.timeout, default: "10", "Seconds for each wait for the server."),
            Parameter("tmp_dest", \.tmpDest, "Has to be a folder; the file is made beside its destination anyway."),
        ] + commonRows,
        options: SchemaOptions(
            returns: [
                ("dest", "The file."), ("url", "Where it came from."), ("status_code", "The server's status."),
                ("msg", "The server's words."), ("checksum_src", "SHA-1 of what came."),
                ("checksum_dest", "SHA-1 of the file before."), ("md5sum", "MD5 of the file."),
                ("backup_file", "The copy of the old file."), ("elapsed", "Seconds that it took."),
            ],
            examples: """
                - name: A program, exactly this one
                  ansible.builtin.get_url:
                    url: https://example.org/tool-1.4
                    dest: /usr/local/bin/tool
                    checksum: sha256:https://example.org/SHA256SUMS
                    mode: "0755"
                """))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        var result: Dict = [
            "checksum_dest": .null, "checksum_src": .null, "url": .string(web.shownURL), "elapsed": 0,
        ]
        var path = try attempt { () throws(MachineError) in try machine.expanded(dest, context.environment) }
        result["dest"] = .string(path)
        var wanted = try parsedChecksum()
        let found = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
        let isFolder = found?.kind == .folder
        if var sum = wanted, !isFolder, found != nil, !web.force, !sum.isAddress {
            sum.hex = try digest(sum.algorithm, of: path, on: machine) ?? ""
            if sum == wanted { return try settled(path, &result, "file already exists", on: machine, context) }
        }
        guard let editor = try context.editor() else {
            return try foreseen(path, isFolder, found, result, on: machine, context)
        }
        if let sum = wanted, sum.isAddress {
            wanted = try fetched(sum, on: editor, context, result)
            if let sum = wanted, !isFolder, found != nil, !web.force,
                try digest(sum.algorithm, of: path, on: editor) == sum.hex
            {
                return try settled(path, &result, "file already exists", on: editor, context)
            }
        }
        // With a checksum that the file does not have, its age says nothing.
        let since = isFolder || wanted != nil ? nil : found?.modificationTime
        let answer = try contents(since, on: editor, context, result)
        result["elapsed"] = .int(answer.elapsed)
        if answer.status == 304 {
            result["status_code"] = 304
            return try settled(path, &result, answer.message, on: editor, context)
        }
        if isFolder {
            path = inFolder(path, answer)
            result["dest"] = .string(path)
        }
        result["checksum_src"] = .string(DigestAlgorithm.sha1.hex(of: answer.body))
        if let old = try digest(.sha1, of: path, on: editor) { result["checksum_dest"] = .string(old) }
        try checkPlace(path, result, on: editor)
        if let sum = wanted {
            let hex = sum.algorithm.hex(of: answer.body)
            guard hex == sum.hex else {
                throw Failure(
                    "The checksum for \(web.shownURL) did not match \(sum.hex); it was \(hex).", result: result)
            }
        }
        result["status_code"] = .int(answer.status)
        return try put(answer, path, &result, on: editor, context)
    }

    private func put(
        _ answer: WebAnswer, _ path: String, _ result: inout Dict, on editor: some MachineEditor, _ context: Context
    ) throws(Failure) -> Outcome {
        var place = DownloadPlace(common: common, path: path)
        let isNew = result["checksum_src"] != result["checksum_dest"]
        if isNew, backup {
            let kept = try attempt { () throws(MachineError) in try editor.makeBackup(of: path) }
            if let kept { result["backup_file"] = .string(kept) }
        }
        if isNew { try place.write(answer.body, on: editor, context) }
        let adjusted = try place.settle(on: editor, context)
        result["md5sum"] = .optional(try digest(.md5, of: path, on: editor))
        result["msg"] = .string(answer.message)
        try place.show(on: editor, &result)
        return Outcome(changed: isNew || adjusted, result)
    }

    /// The file has its content; owner and mode may still differ.
    private func settled(
        _ path: String, _ result: inout Dict, _ message: String, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> Outcome {
        var place = DownloadPlace(common: common, path: path)
        let changed = try place.settle(on: machine, context)
        result["msg"] = .string(changed ? "file already exists but file attributes changed" : message)
        try place.show(on: machine, &result)
        return Outcome(changed: changed, result)
    }

    /// In check mode the head of the answer is asked for, and all of it only to be compared.
    private func foreseen(
        _ path: String, _ isFolder: Bool, _ found: FileStatus?, _ start: Dict, on machine: some MachineReader,
        _ context: Context
    ) throws(Failure) -> Outcome {
        var result = start
        let since = isFolder || !checksum.isEmpty ? nil : found?.modificationTime
        let answer =
            web.url.hasPrefix("file:")
            ? try contents(nil, on: machine, context, result)
            : try accepted(try web.send("HEAD", since: since, timeout: timeout, on: machine, context), result)
        result["elapsed"] = .int(answer.elapsed)
        result["msg"] = .string(answer.message)
        if answer.status == 304 {
            result["status_code"] = 304
            return try settled(path, &result, answer.message, on: machine, context)
        }
        let target = isFolder ? inFolder(path, answer) : path
        result["dest"] = .string(target)
        // A file of this length may be the one that would come: only its content tells.
        let old = try attempt { () throws(MachineError) in try machine.status(of: target, followingLinks: true) }
        guard let old, old.kind == .file, answer.headers["Content-Length"].map({ $0 == String(old.size) }) ?? true,
            let sum = try digest(.sha1, of: target, on: machine)
        else { return Outcome(changed: true, result) }
        let full = try contents(nil, on: machine, context, result)
        result["checksum_src"] = .string(DigestAlgorithm.sha1.hex(of: full.body))
        result["checksum_dest"] = .string(sum)
        guard result["checksum_src"] == result["checksum_dest"] else { return Outcome(changed: true, result) }
        return try settled(target, &result, full.message, on: machine, context)
    }

    /// The file's place in a folder: the name that the server gives it.
    private func inFolder(_ path: String, _ answer: WebAnswer) -> String {
        (path.hasSuffix("/") ? path : path + "/") + (answer.headers.fileName ?? fileName(ofURL: answer.url))
    }

    private func contents(
        _ since: Double?, on machine: some MachineReader, _ context: Context, _ result: Dict
    ) throws(Failure) -> WebAnswer {
        if web.url.hasPrefix("file:") {
            let path = String(web.url.dropFirst(5).drop { $0 == "/" })
            let bytes = try attempt { () throws(MachineError) in try machine.contents(of: "/" + path) }
            guard let bytes else { throw Failure("Request failed: no file /\(path)", result: result) }
            return WebAnswer(
                status: 200, message: "OK (\(bytes.count) bytes)", url: web.url, headers: [:], body: bytes,
                redirected: false, elapsed: 0)
        }
        return try accepted(try web.send("GET", since: since, timeout: timeout, on: machine, context), result)
    }

    /// An answer that has the content, or says that there is no newer one; another one is a failure.
    private func accepted(_ answer: WebAnswer, _ result: Dict) throws(Failure) -> WebAnswer {
        guard answer.status == 200 || answer.status == 304 else {
            var result = result
            result["elapsed"] = .int(answer.elapsed)
            if let cut = answer.cut { throw Failure("Incomplete read: \(cut)", result: result) }
            if answer.status == -1 { throw Failure(answer.message, result: result) }
            result["status_code"] = .int(answer.status)
            result["response"] = .string(answer.message)
            throw Failure("Request failed", result: result)
        }
        return answer
    }

    private func checkPlace(_ path: String, _ result: Dict, on machine: some MachineReader) throws(Failure) {
        let folder = path.hasPrefix("/") ? "/" + path.split(separator: "/").dropLast().joined(separator: "/") : "."
        let exists = try attempt { () throws(MachineError) in try machine.exists(folder) }
        if !exists { throw Failure("Destination \(folder) does not exist", result: result) }
        if let tmpDest {
            let status = try attempt { () throws(MachineError) in try machine.status(of: tmpDest, followingLinks: true)
            }
            guard let status else { throw Failure("\(tmpDest) directory does not exist.", result: result) }
            if status.kind != .folder {
                throw Failure("\(tmpDest) is a file but should be a directory.", result: result)
            }
        }
    }
}

extension FetchURL {
    /// What a content must be.
    struct Checksum: Equatable {
        var algorithm: ContentDigest
        /// Digits, or the address of a file with them.
        var hex: String
        var isAddress: Bool { hex.contains("://") || hex.hasPrefix("file:") }
    }

    private func parsedChecksum() throws(Failure) -> Checksum? {
        if checksum.isEmpty { return nil }
        let halves = checksum.split(separator: ":", maxSplits: 1).map(String.init)
        guard halves.count == 2 else {
            throw Failure("The checksum parameter has to be in format <algorithm>:<checksum>")
        }
        guard let algorithm = ContentDigest(named: halves[0].trimmed.lowercased()) else {
            throw Failure(
                "checksum algorithm '\(halves[0])' is not known, expected one of: "
                    + ContentDigest.names.joined(separator: ", "))
        }
        let sum = Checksum(algorithm: algorithm, hex: halves[1])
        return sum.isAddress ? sum : try checked(sum)
    }

    private func checked(_ sum: Checksum) throws(Failure) -> Checksum {
        let digits = sum.hex.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.lowercased()
        guard !digits.isEmpty, digits.allSatisfy(\.isHexDigit) else { throw Failure("The checksum format is invalid") }
        return Checksum(algorithm: sum.algorithm, hex: digits)
    }

    /// The checksum that a file of checksums has for the content.
    private func fetched(
        _ sum: Checksum, on machine: some MachineReader, _ context: Context, _ result: Dict
    ) throws(Failure) -> Checksum {
        var source = self
        source.web.url = sum.hex
        let answer = try source.contents(nil, on: machine, context, result)
        let name = fileName(ofURL: web.url)
        let lines = String(decoding: answer.body, as: UTF8.self).pythonLines
        guard let hex = Self.checksum(of: name, in: lines) else {
            throw Failure("Unable to find a checksum for file '\(name)' in '\(source.web.shownURL)'", result: result)
        }
        return try checked(Checksum(algorithm: sum.algorithm, hex: hex))
    }

    /// Lines of GNU's form `HEX  NAME` or BSD's `SHA256 (NAME) = HEX`, or one that is only a checksum.
    static func checksum(of name: String, in lines: [String]) -> String? {
        let only = lines.first?.split { $0.isWhitespace } ?? []
        if lines.count == 1, only.count == 1 { return String(only[0]) }
        for line in lines {
            if let open = line.firstIndex(of: "("), let range = line.ranges(of: ") = ").last, open < range.lowerBound {
                if line[line.index(after: open)..<range.lowerBound] == name { return String(line[range.upperBound...]) }
                continue
            }
            let words = line.split(maxSplits: 1) { $0.isWhitespace }
            guard words.count == 2 else { continue }
            let path = words[1].drop { $0.isWhitespace || $0 == "*" || $0 == "." || $0 == "/" }
            if path.trimmed == name { return String(words[0]) }
        }
        return nil
    }
}
