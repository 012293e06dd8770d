/// Why a request got no usable answer. A status such as 404 is an answer, not an error.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The address is not one.
        case url
        /// The request cannot be sent as it is: a field's name or value, a body file.
        case request
        /// The host's name has no address.
        case resolve
        case refused
        /// No route, no such socket file, no permission.
        case unreachable
        case timeout
        /// The other side closed the connection too early.
        case closed
        /// The same, where some of the content had come.
        case cut
        /// TLS did not come about; a local certificate file is wrong.
        case tls
        /// The server's certificate is not accepted.
        case certificate
        /// The answer is not HTTP.
        case badResponse
        /// The answer exceeds a limit.
        case tooLarge
        case redirectLoop
        /// The proxy refused, or its address is wrong.
        case proxy
        /// The receiver of the body threw an error.
        case sink
    }

    package let kind: Kind
    /// One line: lower case, no full stop. Never holds a password.
    package let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
