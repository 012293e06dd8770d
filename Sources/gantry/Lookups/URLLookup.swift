import Crypto
import HTTP
import Machine
import Values

/// The `url` lookup: what web servers answer, as lines or as one text.
struct URLLookup {
    let options: Dict
    let environment: [String: String]
    /// The most bytes that an answer may have.
    private static let limit = 64 << 20

    init(_ options: Dict, environment: [String: String]) {
        self.options = options
        self.environment = environment
    }

    func values(_ address: String) throws(Diagnostic) -> [Value] {
        let shown = Self.masked(address)
        let response: Response
        do throws(HTTPError) { response = try Client(try client()).send(try request(address)) } catch {
            if error.kind == .tls || error.kind == .certificate {
                throw Diagnostic("Error validating the server's certificate for \(shown): \(error.message)")
            }
            throw Diagnostic("Failed lookup url for \(shown): \(error.message)")
        }
        guard response.isSuccess else {
            throw Diagnostic(
                "Received HTTP error for \(shown): HTTP Error \(response.status): \(response.reason)")
        }
        let text = String(decoding: response.body, as: UTF8.self)
        guard flag("split_lines") ?? true else { return [.string(text)] }
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast(
            text.last?.isNewline ?? true ? 1 : 0
        ).map { .string(String($0)) }
    }

    private func request(_ address: String) throws(HTTPError) -> Request {
        var request = Request("GET", try URL(address), redirects: redirects)
        for (name, value) in options["headers"]?.dict ?? Dict() { request.headers[name.pythonText] = value.pythonText }
        if flag("force") ?? false { request.headers["cache-control"] = "no-cache" }
        if let user = word("username") {
            request.credentials = Credentials(user: user, password: Secret(word("password") ?? ""))
        }
        request.sendsCredentialsFirst = flag("force_basic_auth") ?? false
        let kept = setting("unredirected_headers", "unredir_headers")
        request.unredirectedHeaders = kept?.list?.map(\.pythonText)
            ?? kept?.pythonText.split(separator: ",").map { String($0).trimmed } ?? []
        request.unixSocket = word("unix_socket")
        return request
    }

    private var redirects: RedirectPolicy {
        switch word("follow_redirects") ?? "urllib2" {
        case "all", "yes", "true", "True": .all
        case "safe": .safe
        case "none", "no", "false", "False": .none
        default: .urllib2
        }
    }

    private func client() throws(HTTPError) -> Client.Options {
        var client = Client.Options { host in try LinuxMachine().addresses(of: host) }
        let seconds = setting("timeout").flatMap { $0.number ?? Double($0.pythonText) } ?? 10
        client.connectTimeout = .seconds(seconds)
        client.idleTimeout = .seconds(seconds)
        client.userAgent = word("http_agent", "agent") ?? "ansible-httpget"
        client.limits.memory = Self.limit
        if flag("use_proxy") ?? true { client.environment = environment }
        let isTrusting = !(flag("validate_certs") ?? true)
        client.tls = TLSOptions(trust: isTrusting ? .everyone : word("ca_path").map { .path($0) } ?? .system)
        return client
    }

    // MARK: Options

    /// What the call says, else the environment.
    private func setting(_ name: String, _ variable: String? = nil) -> Value? {
        if let given = options[name], !given.isNull { return given }
        return environment["ANSIBLE_LOOKUP_URL_" + (variable ?? name).uppercased()].map { .string($0) }
    }

    private func word(_ name: String, _ variable: String? = nil) -> String? { setting(name, variable)?.pythonText }
    private func flag(_ name: String) -> Bool? { setting(name)?.asBool }

    /// The address without its user's password.
    private static func masked(_ address: String) -> String {
        guard let url = try? URL(address) else { return address.contains("@") ? "(hidden)" : address }
        guard url.user != nil || url.password != nil else { return address }
        return url.text.replacing("://", with: "://****:****@", maxReplacements: 1)
    }
}
