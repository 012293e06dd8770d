import Crypto
import Values

/// The proxies that environment variables name, by the rules of Python's urllib, which Ansible users know.
struct Proxies {
    private let environment: [String: String]

    init(environment: [String: String]) { self.environment = environment }

    /// The proxy for an address, or `nil` where it is reached directly.
    func proxy(for url: URL) throws(HTTPError) -> URL? {
        let name = "\(url.scheme.rawValue)_proxy"
        guard let text = environment[name] ?? environment[name.uppercased()], !text.isEmpty, !isExempt(url) else {
            return nil
        }
        let proxy: URL
        do { proxy = try URL(URL.hasScheme(text) ? text : "http://\(text)") } catch {
            throw HTTPError(.proxy, "\(name): \(error.message)")
        }
        guard proxy.scheme == .http else {
            throw HTTPError(.proxy, "\(name) is '\(proxy)': only proxies with http:// are supported")
        }
        return proxy
    }

    private func isExempt(_ url: URL) -> Bool {
        guard let list = environment["no_proxy"] ?? environment["NO_PROXY"] else { return false }
        return list.split(separator: ",").contains { item in
            var name = item.lowercased()
            while name.first?.isWhitespace == true || name.first == "." { name.removeFirst() }
            while name.last?.isWhitespace == true { name.removeLast() }
            if name == "*" { return true }
            guard !name.isEmpty else { return false }
            return [url.host, url.authority].contains { $0 == name || $0.hasSuffix(".\(name)") }
        }
    }
}

extension URL {
    /// The user and the password in the address.
    var credentials: Credentials? { user.map { Credentials(user: $0, password: Secret(password ?? "")) } }
}
