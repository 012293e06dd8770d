import COpenSSL
import Glibc
import Synchronization

/// Whom a TLS client trusts, and who it is.
package struct TLSOptions: Sendable, Hashable {
    package enum Trust: Sendable, Hashable {
        /// The system's bundle of authorities, or `SSL_CERT_FILE`.
        case system
        /// A PEM file of authorities, or a folder of them named by hash: these and no others.
        case path(String)
        /// Everyone: no certificate is checked.
        case everyone
    }

    package var trust: Trust
    /// A PEM file with the client's certificate and those between it and its authority.
    package var certificate: String?
    /// A PEM file with the client's key, not encrypted; `nil` when `certificate` holds it too.
    package var key: String?

    package init(trust: Trust = .system, certificate: String? = nil, key: String? = nil) {
        self.trust = trust
        self.certificate = certificate
        self.key = key
    }
}

/// Why TLS could not be set up, or stopped.
package struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// A local file is missing or not what it should be.
        case file
        /// The server's certificate is not accepted.
        case certificate
        /// The two sides do not understand each other, or the other side refuses.
        case handshake
    }

    package let kind: Kind
    /// One line, without the name of the server.
    package let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

/// What the connections with the same `TLSOptions` share: authorities, certificate, key. TLS 1.2 at least.
///
/// Get one for each request by `shared` and do not keep it: authorities may be installed during a run.
package final class TLSContext: Sendable {
    fileprivate let handle: ContextHandle
    fileprivate let verifies: Bool

    /// Where distributions keep the bundle: Debian and Alpine, Fedora and Red Hat, SUSE, others.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    ]

    /// The context of the last call, and what its bundle of authorities looked like then.
    private static let last = Mutex<(stamp: [Int], context: TLSContext)?>(nil)

    /// A context for these options. Where they are the default ones, and the system's bundle is still the same, it
    /// is the one of the last call: reading some 140 certificates takes tens of milliseconds.
    package static func shared(_ options: TLSOptions) throws(TLSError) -> TLSContext {
        guard options == TLSOptions(), let bundle = systemBundle, let stamp = stamp(of: bundle) else {
            return try TLSContext(options)
        }
        if let known = last.withLock({ $0 }), known.stamp == stamp { return known.context }
        let context = try TLSContext(options)
        last.withLock { $0 = (stamp, context) }
        return context
    }

    private static var systemBundle: String? {
        let own = unsafe getenv("SSL_CERT_FILE").map { unsafe String(cString: $0) }
        return own ?? bundles.first { unsafe access($0, R_OK) == 0 }
    }

    /// What changes when a file does.
    private static func stamp(of path: String) -> [Int]? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }

    package init(_ options: TLSOptions) throws(TLSError) {
        OpenSSL.start()
        handle = try ContextHandle()
        verifies = options.trust != .everyone
        guard unsafe gantry_ssl_ctx_restrict(handle.pointer) == 1 else {
            throw TLSError(.handshake, "this OpenSSL has no TLS 1.2")
        }
        // Without it OpenSSL would ask for the passphrase of an encrypted key at the terminal.
        unsafe SSL_CTX_set_default_passwd_cb(handle.pointer) { _, _, _, _ in 0 }
        switch options.trust {
        case .everyone: unsafe SSL_CTX_set_verify(handle.pointer, SSL_VERIFY_NONE, nil)
        case .system:
            guard let bundle = Self.systemBundle else {
                throw TLSError(.file, "no CA certificates on this machine: install ca-certificates, or give ca_path")
            }
            try trust(bundle)
        case .path(let path): try trust(path)
        }
        if let certificate = options.certificate { try identify(certificate, key: options.key ?? certificate) }
    }

    private func trust(_ path: String) throws(TLSError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, unsafe access(path, R_OK) == 0 else {
            throw TLSError(.file, "CA certificates '\(path)': \(errorText(errno))")
        }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        let isDone =
            isFolder
            ? unsafe SSL_CTX_load_verify_dir(handle.pointer, path)
            : unsafe SSL_CTX_load_verify_file(handle.pointer, path)
        guard isDone == 1 else {
            _ = OpenSSL.reason()
            throw TLSError(.file, "CA certificates '\(path)': no PEM certificate in it")
        }
        unsafe SSL_CTX_set_verify(handle.pointer, SSL_VERIFY_PEER, nil)
        // A certificate that was given as trusted is trusted, also when its own authority is not known.
        unsafe X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(handle.pointer), UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    private func identify(_ certificate: String, key: String) throws(TLSError) {
        for path in [certificate, key] where unsafe access(path, R_OK) != 0 {
            throw TLSError(.file, "client certificate or key '\(path)': \(errorText(errno))")
        }
        guard unsafe SSL_CTX_use_certificate_chain_file(handle.pointer, certificate) == 1 else {
            throw TLSError(.file, "client certificate '\(certificate)': \(OpenSSL.reason() ?? "not a PEM file")")
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(handle.pointer, key, SSL_FILETYPE_PEM) == 1 else {
            _ = OpenSSL.reason()
            throw TLSError(
                .file, "client key '\(key)': not the PEM key of '\(certificate)', or encrypted with a passphrase")
        }
    }
}

/// The client's end of one TLS connection, apart from any socket: bytes from the server go in by `receive`, bytes
/// for the server come out of `output`. Who owns the socket moves them, waits, and decides when to give up.
package struct TLSSession: ~Copyable {
    let handle: SessionHandle
    private let verifies: Bool

    package enum Reading: Equatable { case bytes(Int), needsMore, closed }

    /// - Parameter host: the name or address that the certificate must be for; a name is also sent (SNI).
    package init(_ context: TLSContext, host: String) throws(TLSError) {
        let handle = try SessionHandle(context)
        let parameters = unsafe SSL_get0_param(handle.pointer)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 {
            ERR_clear_error()
            unsafe SSL_set_hostflags(handle.pointer, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            guard unsafe SSL_set1_host(handle.pointer, host) == 1,
                unsafe gantry_ssl_set_server_name(handle.pointer, host) == 1
            else { throw TLSError(.handshake, "'\(host)' cannot be a name in a certificate") }
        }
        self.handle = handle
        verifies = context.verifies
    }

    /// Takes in bytes that the server sent.
    package mutating func receive(_ bytes: Span<UInt8>) throws(TLSError) {
        let isTaken = unsafe bytes.withUnsafeBufferPointer { buffer in
            let count = Int32(clamping: buffer.count)
            return unsafe BIO_write(handle.incoming, buffer.baseAddress, count) == count
        }
        guard bytes.isEmpty || isTaken else { throw TLSError(.handshake, "no memory for TLS") }
    }

    /// The bytes to be sent to the server now; take them after every other call.
    package mutating func output() -> [UInt8] {
        let count = unsafe BIO_ctrl_pending(handle.outgoing)
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let taken = unsafe BIO_read(handle.outgoing, &bytes, Int32(clamping: count))
        return Array(bytes.prefix(max(0, Int(taken))))
    }

    /// Goes on with the handshake; true when it is done. Otherwise it needs bytes from the server.
    package mutating func handshake() throws(TLSError) -> Bool {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(handle.pointer)
        if result == 1 { return true }
        let code = unsafe SSL_get_error(handle.pointer, result)
        if code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE { return false }
        throw failure("handshake")
    }

    /// Appends decrypted bytes, at most 64 KiB.
    package mutating func read(into bytes: inout [UInt8]) throws(TLSError) -> Reading {
        ERR_clear_error()
        var piece = [UInt8](repeating: 0, count: 65536)
        let result = unsafe SSL_read(handle.pointer, &piece, Int32(piece.count))
        if result > 0 {
            bytes += piece.prefix(Int(result))
            return .bytes(Int(result))
        }
        switch unsafe SSL_get_error(handle.pointer, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsMore
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw failure("reading")
        }
    }

    /// Encrypts bytes, all of them; they come out of `output`. Only after the handshake.
    package mutating func write(_ bytes: Span<UInt8>) throws(TLSError) {
        ERR_clear_error()
        let isDone = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress, buffer.count > 0 else { return true }
            var written = 0
            return unsafe SSL_write_ex(handle.pointer, start, buffer.count, &written) == 1 && written == buffer.count
        }
        guard isDone else { throw failure("writing") }
    }

    /// Says goodbye, so that the server knows that nothing was cut off.
    package mutating func close() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(handle.pointer)
        ERR_clear_error()
    }

    /// Why a certificate is not accepted, in the words of Python's `ssl`, which playbooks look for.
    private static func reason(_ verdict: Int) -> String {
        switch verdict {
        case Int(X509_V_ERR_HOSTNAME_MISMATCH): return "Hostname mismatch"
        case let number:
            return unsafe X509_verify_cert_error_string(number).map { unsafe String(cString: $0) } ?? "error \(number)"
        }
    }

    private func failure(_ doing: String) -> TLSError {
        let reason = OpenSSL.reason()
        let verdict = unsafe SSL_get_verify_result(handle.pointer)
        if verifies, verdict != Int(X509_V_OK) {
            return TLSError(.certificate, "certificate verify failed: \(Self.reason(verdict))")
        }
        switch reason {
        case "wrong version number", "packet length too long", "http request", "record layer failure":
            return TLSError(.handshake, "the server does not speak TLS at this port (is it plain http?)")
        case let reason?: return TLSError(.handshake, "TLS \(doing): \(reason)")
        case nil: return TLSError(.handshake, "TLS \(doing) stopped")
        }
    }
}

/// The owner of one `SSL`, which owns its two buffers.
///
/// Not private, although nothing else uses it: other modules destroy it as a part of `TLSSession`, and in release
/// builds they cannot link to what is private to a file.
@safe struct SessionHandle: ~Copyable {
    let pointer: OpaquePointer
    /// What came from the server.
    let incoming: OpaquePointer
    /// What is for the server.
    let outgoing: OpaquePointer

    init(_ context: TLSContext) throws(TLSError) {
        guard let pointer = unsafe SSL_new(context.handle.pointer) else {
            throw TLSError(.handshake, OpenSSL.reason() ?? "no memory for TLS")
        }
        guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(pointer)
            throw TLSError(.handshake, "no memory for TLS")
        }
        unsafe SSL_set_bio(pointer, incoming, outgoing)
        unsafe SSL_set_connect_state(pointer)
        unsafe self.pointer = pointer
        unsafe self.incoming = incoming
        unsafe self.outgoing = outgoing
    }

    deinit { unsafe SSL_free(pointer) }
}

/// The owner of one `SSL_CTX`, which OpenSSL lets threads share once it is set up.
@safe private struct ContextHandle: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer

    init() throws(TLSError) {
        guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw TLSError(.handshake, OpenSSL.reason() ?? "no memory for TLS")
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe SSL_CTX_free(pointer) }
}

/// The system's words for an error number, in lower case.
private func errorText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    let words = unsafe String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
}
