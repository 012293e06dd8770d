import Crypto
package import Values

/// A user and a password for Basic and Digest authentication.
package struct Credentials: Sendable, Hashable {
    package let user: String
    package let password: Secret

    package init(user: String, password: Secret) {
        self.user = user
        self.password = password
    }

    /// The value of an `Authorization` field.
    var basic: String { "Basic " + Base64.encode("\(user):\(password.exposed)".utf8) }
}

/// Which redirects are followed, as the `follow_redirects` of Ansible's `uri` says.
package enum RedirectPolicy: String, Sendable, CaseIterable {
    /// All of them.
    case all
    /// Those of `GET` and `HEAD`.
    case safe
    case none
    /// What Python's urllib does: those of `GET` and `HEAD`, and 301, 302 and 303 of `POST`.
    case urllib2
}

/// One request. What is left out is decided by the client: `Host`, `Content-Length`, `User-Agent`.
package struct Request: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// The first `length` bytes of an open file, which stays open and keeps its position.
        case file(descriptor: Int32, length: Int)
    }

    package var method: String
    package var url: URL
    package var headers: Headers
    package var body: Body
    /// Sent when the server asks (401); the URL's own user and password where this is `nil`.
    package var credentials: Credentials?
    /// Sends the credentials without being asked (`force_basic_auth`).
    package var sendsCredentialsFirst = false
    /// The answer to what the server asked, for this one request.
    var authorization: String?
    package var redirects: RedirectPolicy
    /// Names of header fields that a redirected request does not carry.
    package var unredirectedHeaders: [String] = []
    /// Asks the server to agree to the body before it is sent.
    package var expectsContinue = false
    /// The path of a socket to connect to, instead of the URL's host.
    package var unixSocket: String?

    package init(
        _ method: String = "GET", _ url: URL, headers: Headers = [:], body: Body = .none,
        redirects: RedirectPolicy = .urllib2
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.redirects = redirects
    }

    /// Asks for an answer only if the thing is another than the one with this tag (304 otherwise).
    package mutating func setIfNoneMatch(_ tag: String?) { headers["If-None-Match"] = tag }

    /// Asks for an answer only if the thing was changed after this time, in seconds since 1970 (304 otherwise).
    package mutating func setIfModifiedSince(_ seconds: Int?) {
        headers["If-Modified-Since"] = seconds.map { HTTPDate.text($0) }
    }

    /// The request that follows a redirect, or `nil` where the policy leaves the answer as it is.
    func redirected(by status: Int, to location: String) throws(HTTPError) -> Request? {
        guard [301, 302, 303, 307, 308].contains(status), allows(status) else { return nil }
        var next = self
        next.url = try url.resolving(location)
        next.authorization = nil
        if !next.url.hasSameOrigin(as: url) {
            // They were meant for the first server only.
            for name in ["Authorization", "Cookie", "Proxy-Authorization"] { next.headers[name] = nil }
            next.credentials = nil
            next.sendsCredentialsFirst = false
        }
        for name in unredirectedHeaders { next.headers[name] = nil }
        next.headers["Host"] = nil
        if status == 307 || status == 308 { return next }
        next.body = .none
        next.expectsContinue = false
        for name in ["Content-Length", "Content-Type", "Transfer-Encoding"] { next.headers[name] = nil }
        let isPost = method == "POST"
        if method != "HEAD", redirects == .urllib2 || status != 301 || isPost { next.method = "GET" }
        return next
    }

    private func allows(_ status: Int) -> Bool {
        let isSafe = method == "GET" || method == "HEAD"
        return switch redirects {
        case .all: true
        case .safe: isSafe
        case .none: false
        case .urllib2: isSafe || method == "POST" && status <= 303
        }
    }
}

/// The answer to a request.
package struct Response: Sendable {
    package let status: Int
    /// The words behind the status; may be empty.
    package let reason: String
    package let headers: Headers
    /// The body, where no sink took it.
    package internal(set) var body: [UInt8] = []
    /// Where the answer came from, after all redirects.
    package let url: URL
    /// How many redirects led there.
    package let redirects: Int

    package var isSuccess: Bool { (200...299).contains(status) }
    /// The tag for `Request.setIfNoneMatch`.
    package var tag: String? { headers["ETag"] }
    /// When the thing was changed, in seconds since 1970.
    package var lastModified: Int? { headers["Last-Modified"].flatMap { HTTPDate.seconds($0) } }
}
