import Crypto
import HTTP
import Machine
import Values

/// What the modules that ask web servers have in common.
struct WebOptions: Sendable {
    var url = ""
    var user: String?
    var password: Secret?
    var forceBasicAuth = false
    var validateCertificates = true
    var clientCertificate: String?
    var clientKey: String?
    var caPath: String?
    var useProxy = true
    var agent = "ansible-httpget"
    var headers = Dict()
    var unredirectedHeaders: [String] = []
    var force = false
    var ciphers: [String] = []
    var decompress = true
    var useNetrc = true
    var useGssapi = false

    static let rows: [Parameter<WebOptions>] = [
        Parameter("url", \.url, required: true, "The address: http:// or https://."),
        Parameter("url_username", \.user, aliases: ["user", "username"], "User for Basic authentication."),
        Parameter("url_password", \.password, aliases: ["password"], "Its password."),
        Parameter("force_basic_auth", \.forceBasicAuth, default: "false", "Send them without being asked."),
        Parameter("validate_certs", \.validateCertificates, default: "true", "Check the server's certificate."),
        Parameter("client_cert", \.clientCertificate, "PEM file on the node with a certificate to show."),
        Parameter("client_key", \.clientKey, "PEM file on the node with its key."),
        Parameter("ca_path", \.caPath, "PEM file on the node with the authorities to trust."),
        Parameter("use_proxy", \.useProxy, default: "true", "Use the proxies that the environment names."),
        Parameter("http_agent", \.agent, default: "ansible-httpget", "The User-Agent header."),
        Parameter("headers", \.headers, "Headers of the request."),
        Parameter("unredirected_headers", \.unredirectedHeaders, "Headers that a redirected request does not get."),
        Parameter("force", \.force, default: "false", "Ask for the content although it did not change."),
        Parameter("ciphers", \.ciphers, "Taken for compatibility: TLS offers what is secure today."),
        Parameter("decompress", \.decompress, default: "true", "Unpack what the server sends as gzip, unasked."),
        Parameter(
            "use_netrc", \.useNetrc, default: "true", "Take user and password from ~/.netrc when none are given."),
        Parameter("use_gssapi", \.useGssapi, default: "false", "Kerberos is not supported; only false is taken."),
    ]
}

/// The answer of a web server, or why there was none.
struct WebAnswer {
    /// -1 where no answer came.
    var status: Int
    /// `OK (12 bytes)`, `HTTP Error 404: Not Found`, or what went wrong.
    var message: String
    /// Where it came from, without user and password.
    var url: String
    var headers: Headers
    var body: [UInt8]
    var redirected: Bool
    /// Whole seconds that it took.
    var elapsed: Int
    /// Why only a part of the answer came.
    var cut: String?
}

extension WebOptions {
    /// The address as results show it.
    var shownURL: String {
        guard let parsed = try? URL(url) else {
            return url.contains("@") ? "(hidden)" : url
        }
        guard parsed.user != nil || parsed.password != nil else { return url }
        return parsed.text.replacing("://", with: "://****:****@", maxReplacements: 1)
    }

    /// The most bytes that an answer may have.
    private static let limit = 1 << 30

    /// Sends one request.
    ///
    /// - Parameter since: ask for the content only if it is newer, in seconds since 1970.
    func send(
        _ method: String, body: [UInt8]? = nil, extra: [(String, String)] = [], redirects: RedirectPolicy = .urllib2,
        since: Double? = nil, timeout: Int, socket: String? = nil, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> WebAnswer {
        if useGssapi { throw Failure("use_gssapi is not supported; give url_username and url_password instead") }
        let start = machine.now
        do throws(HTTPError) {
            var request = Request(method, try URL(url), redirects: redirects)
            for (name, value) in headers { request.headers[name.pythonText] = value.pythonText }
            for (name, value) in extra where request.headers[name] == nil { request.headers[name] = value }
            if let body { request.body = .bytes(body) }
            if force {
                request.headers["cache-control"] = "no-cache"
            } else {
                request.setIfModifiedSince(since.map { Int($0) })
            }
            let given = user.map { Credentials(user: $0, password: password ?? Secret("")) }
            let stored = given == nil ? netrc(for: request.url, on: machine, context) : nil
            request.credentials = given ?? stored
            request.sendsCredentialsFirst = forceBasicAuth || stored != nil
            // They take the place of what the headers say.
            if request.sendsCredentialsFirst, request.credentials != nil { request.headers["Authorization"] = nil }
            request.unredirectedHeaders = unredirectedHeaders
            request.unixSocket = socket
            let response = try Client(options(timeout, on: machine, context)).send(request)
            let packings = ["gzip", "x-gzip"]
            let isPacked = packings.contains(response.headers["Content-Encoding"]?.lowercased() ?? "")
            var answer = answer(response, Int(machine.now - start))
            if decompress, isPacked, !answer.body.isEmpty {
                answer.body = try Gzip.inflated(answer.body, limit: Self.limit)
            }
            return answer
        } catch {
            let cut = error.kind == .cut ? error.message : nil
            return WebAnswer(
                status: -1, message: "Request failed: \(error.message)", url: shownURL, headers: [:], body: [],
                redirected: false, elapsed: Int(machine.now - start), cut: cut)
        }
    }

    private func answer(_ response: Response, _ elapsed: Int) -> WebAnswer {
        let length = response.headers["Content-Length"] ?? "unknown"
        let message =
            response.isSuccess
            ? "OK (\(length) bytes)" : "HTTP Error \(response.status): \(response.reason)"
        return WebAnswer(
            status: response.status, message: message, url: response.url.text, headers: response.headers,
            body: response.body, redirected: response.redirects > 0, elapsed: elapsed)
    }

    private func options(_ timeout: Int, on machine: some MachineReader, _ context: Context) -> Client.Options {
        var options = Client.Options { host in try machine.addresses(of: host) }
        options.connectTimeout = .seconds(timeout)
        options.idleTimeout = .seconds(timeout)
        options.userAgent = agent
        options.limits.memory = Self.limit
        if useProxy { options.environment = machine.environment.merging(context.environment) { $1 } }
        let trust: TLSOptions.Trust = validateCertificates ? caPath.map { .path($0) } ?? .system : .everyone
        options.tls = TLSOptions(trust: trust, certificate: clientCertificate, key: clientKey)
        return options
    }

    /// User and password that `~/.netrc` has for the host.
    private func netrc(for url: URL, on machine: some MachineReader, _ context: Context) -> Credentials? {
        let environment = machine.environment.merging(context.environment) { $1 }
        guard useNetrc, url.user == nil else { return nil }
        let file = environment["NETRC"] ?? environment["HOME"].map { $0 + "/.netrc" }
        guard let file, let text = try? machine.text(of: file) else { return nil }
        var words = text.split { $0.isWhitespace }.map(String.init)[...]
        var found: [String: String] = [:]
        var isHost = false
        while let word = words.popFirst() {
            switch word {
            case "machine":
                if isHost { break }
                isHost = words.popFirst() == url.host
                found = [:]
                continue
            case "default":
                if isHost { break }
                isHost = true
                found = [:]
                continue
            case "login", "password", "account":
                found[word] = words.popFirst()
                continue
            default: continue
            }
            break
        }
        guard isHost, let login = found["login"] else { return nil }
        return Credentials(user: login, password: Secret(found["password"] ?? ""))
    }
}

/// The last part of an address's path, `index.html` where there is none.
func fileName(ofURL text: String) -> String {
    let path = text.prefix { $0 != "?" && $0 != "#" }
    let rest = path.firstRange(of: "://").map { path[$0.upperBound...] } ?? path
    guard let slash = rest.lastIndex(of: "/") else { return "index.html" }
    let name = String(rest[rest.index(after: slash)...])
    return name.isEmpty ? "index.html" : name
}

extension Headers {
    /// The file's name that `Content-Disposition` tells, without any folder.
    var fileName: String? {
        guard let field = self["Content-Disposition"], let range = field.firstRange(of: "filename=") else { return nil }
        let value = field[range.upperBound...]
        let name = value.hasPrefix("\"") ? value.dropFirst().prefix { $0 != "\"" } : value.prefix { $0 != ";" }
        let base = baseName(String(name).trimmed)
        return base.isEmpty || base == "." || base == ".." ? nil : base
    }
}
