import CLibSSH2

/// libssh2 as a whole: started once per process, and what the version that is linked can do.
enum Library {
    /// Whether libssh2 could be started. Reading it starts it, once.
    static let isStarted: Bool = libssh2_init(0) == 0

    /// The version that is linked, as `1.10.0`.
    static var version: String {
        guard let text = unsafe libssh2_version(0) else { return "unknown" }
        return unsafe String(cString: text)
    }

    /// Whether RSA keys are used with SHA-2; before 1.11 it is SHA-1 only, which servers since OpenSSH 8.8 refuse.
    static let knowsRSAWithSHA2: Bool = unsafe libssh2_version(0x010b00) != nil
}

/// What libssh2 says when a call does not succeed.
struct LibraryError: Error, Sendable {
    let code: Int32
    let text: String

    /// The server refused what was offered; the connection goes on.
    var isRefusal: Bool {
        code == LIBSSH2_ERROR_AUTHENTICATION_FAILED || code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED
    }
    /// The key or its passphrase could not be used on our side.
    var isUnusableKey: Bool { code == LIBSSH2_ERROR_FILE }
    /// The sides have no algorithm in common, or the exchange went wrong.
    var isKeyExchange: Bool {
        code == LIBSSH2_ERROR_KEX_FAILURE || code == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE
            || code == LIBSSH2_ERROR_METHOD_NONE
    }
    var isRefusedChannel: Bool { code == LIBSSH2_ERROR_CHANNEL_FAILURE }
    var isDenied: Bool { code == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED }
    /// The connection is gone.
    var isConnection: Bool {
        code == LIBSSH2_ERROR_SOCKET_RECV || code == LIBSSH2_ERROR_SOCKET_SEND
            || code == LIBSSH2_ERROR_SOCKET_DISCONNECT
    }
}
