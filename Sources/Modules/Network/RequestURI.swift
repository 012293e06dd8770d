import Crypto
import HTTP
import Machine
import Values

/// `uri`: asks a web server.
struct RequestURI: FileMaker {
    enum BodyFormat: String, CaseIterable, Choice {
        case formUrlencoded = "form-urlencoded"
        case json, raw
        case formMultipart = "form-multipart"
    }
    enum Redirects: String, CaseIterable, Choice { case all, no, none, safe, urllib2, yes }

    var web = WebOptions()
    var common = FileArguments()
    var method = "GET"
    var body: Value = .null
    var bodyFormat = BodyFormat.raw
    var src: String?
    var remoteSrc = false
    var dest: String?
    var statusCodes = [200]
    var returnContent = false
    var followRedirects = Redirects.safe
    var timeout = 30
    var creates: String?
    var removes: String?
    var unixSocket: String?
    init() {}

    static let schema = Schema<RequestURI>(
        "uri", "Asks a web server, and looks at the answer.",
        WebOptions.rows.map { Parameter($0, in: \.web) } + [
            Parameter("method", \.method, default: "GET", "The method: a word in capitals."),
            Parameter("body", \.body, "What is sent: text, or data for the format."),
            Parameter("body_format", \.bodyFormat, default: "raw", "How data becomes text."),
            Parameter("src", \.src, "A file that is sent: of the controller, or of the node with remote_src."),
            Parameter("remote_src", \.remoteSrc, default: "false", "The file is on the node."),
            Parameter("dest", \.dest, "Where the answer is kept: a file, or a folder."),
            Parameter("status_code", \.statusCodes, default: "200", "Statuses that count as success."),
            Parameter("return_content", \.returnContent, default: "false", "Put the answer's body into the result."),
            Parameter(
                "follow_redirects", \.followRedirects, default: "safe",
                "all, none, safe (GET and HEAD only), or urllib2 (POST becomes GET)."),
            Parameter("timeout", \.timeout, default: "30", "Seconds for each wait for the server."),
            Parameter("creates", \.creates, "When this path exists, nothing is asked."),
            Parameter("removes", \.removes, "When this path does not exist, nothing is asked."),
            Parameter("unix_socket", \.unixSocket, "A socket file to connect to instead of the host."),
        ] + commonRows,
        options: SchemaOptions(
            mutuallyExclusive: [["body", "src"]], checkMode: "none",
            returns: [
                ("status", "The server's status; -1 when there was no answer."), ("url", "Where the answer came from."),
                ("redirected", "Whether that is another address."), ("content", "The body, with return_content."),
                ("json", "The body's data, when it is JSON."), ("msg", "The server's words."),
                ("cookies", "Cookies that were set."), ("elapsed", "Seconds that it took."), ("path", "The file kept."),
            ],
            examples: """
                - name: Until the service is healthy
                  ansible.builtin.uri:
                    url: http://127.0.0.1:8080/health
                  register: health
                  until: health.status == 200
                  retries: 30

                - name: Create something
                  ansible.builtin.uri:
                    url: https://api.example.org/things
                    method: POST
                    body_format: json
                    body: {name: thing}
                    headers: {Authorization: "Bearer {{ token }}"}
                    status_code: [200, 201]
                """, notes: ["Every header of the answer is in the result too: in small letters, with underscores."]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let method = self.method.uppercased()
        guard !method.isEmpty, method.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            throw Failure("Parameter 'method' needs to be a single word in uppercase, like GET or POST.")
        }
        guard let editor = try context.editor() else {
            return .skipping("This action (uri) does not support check mode.")
        }
        for (path, wanted, text) in [(creates, true, "exists"), (removes, false, "does not exist")] {
            guard let path else { continue }
            let found = try attempt { () throws(MachineError) in
                try editor.exists(editor.expanded(path, context.environment))
            }
            if found == wanted {
                var result = Dict()
                result.setStdout("skipped, since '\(path)' \(text)")
                return Outcome(result)
            }
        }
        let (bytes, type) = try payload(on: editor, context)
        var target = try attempt { () throws(MachineError) in
            try dest.map { (path) throws(MachineError) in try editor.expanded(path, context.environment) }
        }
        let old = try attempt { () throws(MachineError) in
            try target.flatMap { (path) throws(MachineError) in try editor.status(of: path, followingLinks: true) }
        }
        let answer = try web.send(
            method, body: bytes, extra: type.map { [("Content-Type", $0)] } ?? [], redirects: policy,
            since: old?.kind == .file ? old?.modificationTime : nil, timeout: timeout, socket: unixSocket, on: editor,
            context)
        if let cut = answer.cut { throw Failure("HTTP Error while fetching \(web.shownURL): \(cut)") }
        if old?.kind == .folder, let folder = target {
            target =
                folder + (folder.hasSuffix("/") ? "" : "/") + (answer.headers.fileName ?? fileName(ofURL: answer.url))
        }
        var result = result(answer)
        let isGood = statusCodes.contains(answer.status)
        var changed = false
        if let target, (200..<300).contains(answer.status) || answer.status == 304 {
            result["path"] = .string(target)
            if isGood, answer.status != 304 {
                var place = DownloadPlace(common: common, path: target)
                let kept = try digest(.sha1, of: target, on: editor)
                if kept != DigestAlgorithm.sha1.hex(of: answer.body) {
                    try place.write(answer.body, on: editor, context)
                }
                _ = try place.settle(on: editor, context)
                try place.show(on: editor, &result)
                changed = true
            }
        }
        guard isGood else {
            let codes = statusCodes.map(String.init).joined(separator: ", ")
            throw Failure("Status code was \(answer.status) and not [\(codes)]: \(answer.message)", result: result)
        }
        return Outcome(changed: changed, result)
    }

    private var policy: RedirectPolicy {
        switch followRedirects {
        case .all, .yes: .all
        case .no, .none: .none
        case .safe: .safe
        case .urllib2: .urllib2
        }
    }

    private func result(_ answer: WebAnswer) -> Dict {
        var result: Dict = [
            "status": .int(answer.status), "url": .string(answer.url), "msg": .string(answer.message),
            "elapsed": .int(answer.elapsed), "redirected": .bool(answer.redirected),
        ]
        for field in answer.headers.fields {
            let name = field.name.lowercased().replacing("-", with: "_")
            result[name] = .string(answer.headers[field.name] ?? field.value)
        }
        if let location = answer.headers["Location"], let url = try? URL(answer.url).resolving(location) {
            result["location"] = .string(url.text)
        }
        if (200..<300).contains(answer.status) {
            var cookies = Dict()
            for cookie in answer.headers.values(of: "Set-Cookie") {
                let pair = cookie.prefix { $0 != ";" }.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if pair.count == 2 { cookies[pair[0].trimmed] = .string(pair[1].trimmed) }
            }
            result["cookies"] = .dict(cookies)
            result["cookies_string"] = .string(
                cookies.names.map { "\($0)=\(cookies[$0]?.text ?? "")" }.joined(separator: "; "))
        }
        let kind = answer.headers["Content-Type"]?.lowercased() ?? "application/octet-stream"
        let text =
            kind.contains("charset=iso-8859-1") || kind.contains("charset=latin1")
            ? String(String.UnicodeScalarView(answer.body.map { Unicode.Scalar($0) }))
            : String(decoding: answer.body, as: UTF8.self)
        let subtype = kind.prefix { $0 != ";" }.split(separator: "/").last.map { $0.trimmed } ?? ""
        let format = subtype.split(separator: "+").last.map(String.init) ?? ""
        if ["json", "javascript"].contains(format), let value = try? Value(json: text) { result["json"] = value }
        if returnContent { result["content"] = .string(text) }
        return result
    }
}
