import Values
import CLibSSH2

/// The one owner of a `LIBSSH2_SESSION`.
///
/// Calls that may have to wait for the peer return `nil` or `false` for "call again with the same arguments when
/// more bytes have come".
@safe struct SessionHandle: ~Copyable {
    private let raw: OpaquePointer

    /// - Parameter seam: must outlive the handle: libssh2 keeps a plain pointer to it.
    init?(seam: Seam, compression: Bool) {
        let pointer = unsafe Unmanaged.passUnretained(seam).toOpaque()
        guard Library.isStarted, let raw = unsafe libssh2_session_init_ex(nil, nil, nil, pointer) else { return nil }
        unsafe self.raw = raw
        unsafe libssh2_session_set_blocking(raw, 0)
        unsafe libssh2_session_callback_set(
            raw, LIBSSH2_CALLBACK_SEND, unsafeBitCast(Seam.send, to: UnsafeMutableRawPointer.self))
        unsafe libssh2_session_callback_set(
            raw, LIBSSH2_CALLBACK_RECV, unsafeBitCast(Seam.receive, to: UnsafeMutableRawPointer.self))
        if compression { unsafe libssh2_session_flag(raw, LIBSSH2_FLAG_COMPRESS, 1) }
    }

    deinit {
        // With the seam closed, every wait inside ends with "disconnected"; the bound is for a library that differs.
        for _ in 0..<16 where unsafe libssh2_session_free(raw) != LIBSSH2_ERROR_EAGAIN { return }
    }

    /// Prefers the cheap algorithms and the given kinds of host key.
    func prefer(hostKeys: [String]) throws(LibraryError) {
        // The cheapest of what every server since OpenSSH 7 offers and libssh2 1.10 knows come first; `openssl speed`
        // on an AMD EPYC: X25519 29,000 exchanges a second, P-256 18,000, P-384 1,100; AES-CTR with 128 bits 8.8 GB/s,
        // with 256 bits 7.1; HMAC-SHA2-256 1.7 GB/s, SHA2-512 0.8. SHA-1's 1.8 is not worth SHA-1.
        try prefer(
            LIBSSH2_METHOD_KEX,
            ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
                "ecdh-sha2-nistp521", "diffie-hellman-group14-sha256", "diffie-hellman-group16-sha512",
                "diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha1"])
        let ciphers = ["aes128-ctr", "aes256-ctr", "aes192-ctr"]
        try prefer(LIBSSH2_METHOD_CRYPT_CS, ciphers)
        try prefer(LIBSSH2_METHOD_CRYPT_SC, ciphers)
        let digests = ["hmac-sha2-256", "hmac-sha1", "hmac-sha2-512"]
        try prefer(LIBSSH2_METHOD_MAC_CS, digests)
        try prefer(LIBSSH2_METHOD_MAC_SC, digests)
        try prefer(LIBSSH2_METHOD_HOSTKEY, hostKeys)
    }

    private func prefer(_ method: Int32, _ names: [String]) throws(LibraryError) {
        let code = unsafe libssh2_session_method_pref(raw, method, names.joined(separator: ","))
        if code != 0 { throw error(code) }
    }

    // MARK: logging in

    /// - Parameter descriptor: any open, non-blocking descriptor; libssh2 only looks at its flags.
    func handshake(descriptor: Int32) throws(LibraryError) -> Bool {
        try finished(unsafe libssh2_session_handshake(raw, descriptor))
    }

    /// The key the server proved to have, as it travels.
    var hostKey: [UInt8]? {
        var length = 0
        var kind: Int32 = 0
        guard let bytes = unsafe libssh2_session_hostkey(raw, &length, &kind), length > 0 else { return nil }
        return unsafe UnsafeBufferPointer(start: bytes, count: length).map { UInt8(bitPattern: $0) }
    }

    /// Offers a key and proves to have it.
    /// - Parameters:
    ///   - publicKey: `ssh-ed25519 AAAA…`; `nil` derives it from the private key.
    ///   - privateKey: the text of the key file.
    func authenticate(
        user: String, publicKey: String?, privateKey: [UInt8], passphrase: String?
    ) throws(LibraryError) -> Bool {
        let code = unsafe privateKey.withUnsafeBytes { key in
            unsafe libssh2_userauth_publickey_frommemory(
                raw, user, user.utf8.count, publicKey, publicKey?.utf8.count ?? 0,
                key.baseAddress?.assumingMemoryBound(to: CChar.self), key.count, passphrase)
        }
        return try finished(code)
    }

    /// Offers a key whose signature somebody else makes.
    func authenticate(user: String, publicKey: [UInt8], signing: Signing) throws(LibraryError) -> Bool {
        var abstract: UnsafeMutableRawPointer? = unsafe Unmanaged.passUnretained(signing).toOpaque()
        let code = unsafe publicKey.withUnsafeBufferPointer { key in
            unsafe libssh2_userauth_publickey(
                raw, user, key.baseAddress, key.count, Signing.callback, &abstract)
        }
        return try finished(code)
    }

    func authenticate(user: String, password: String) throws(LibraryError) -> Bool {
        try finished(
            unsafe libssh2_userauth_password_ex(
                raw, user, UInt32(user.utf8.count), password, UInt32(password.utf8.count), nil))
    }

    /// The questions are answered by the seam.
    func authenticateInteractively(user: String) throws(LibraryError) -> Bool {
        try finished(
            unsafe libssh2_userauth_keyboard_interactive_ex(raw, user, UInt32(user.utf8.count), Seam.answer))
    }

    /// What the server would accept, comma-separated; empty when it asks for nothing and the user is logged in.
    func methods(user: String) throws(LibraryError) -> String? {
        if let list = unsafe libssh2_userauth_list(raw, user, UInt32(user.utf8.count)) {
            return unsafe String(cString: list)
        }
        if unsafe libssh2_userauth_authenticated(raw) != 0 { return "" }
        let code = unsafe libssh2_session_last_errno(raw)
        if code == LIBSSH2_ERROR_EAGAIN { return nil }
        throw error(code)
    }

    // MARK: channels

    func openSession() throws(LibraryError) -> ChannelHandle? {
        let kind = "session"
        return unsafe try channel(
            libssh2_channel_open_ex(
                raw, kind, UInt32(kind.utf8.count), ChannelHandle.window, ChannelHandle.packet, nil, 0))
    }

    /// A channel that the server connects to `host`, for a session inside this one.
    func openStream(host: String, port: Int) throws(LibraryError) -> ChannelHandle? {
        unsafe try channel(libssh2_channel_direct_tcpip_ex(raw, host, Int32(port), "127.0.0.1", 0))
    }

    private func channel(_ opened: OpaquePointer?) throws(LibraryError) -> ChannelHandle? {
        if let opened = unsafe opened { return unsafe ChannelHandle(opened, of: raw) }
        let code = unsafe libssh2_session_last_errno(raw)
        if code == LIBSSH2_ERROR_EAGAIN { return nil }
        throw error(code)
    }

    // MARK: the end

    /// Asks the peer for a sign of life; the answer counts by arriving.
    func keepAlive() {
        var next: Int32 = 0
        // Two seconds is the least libssh2 takes; our own timer, which fires less often, decides.
        unsafe libssh2_keepalive_config(raw, 1, 2)
        unsafe libssh2_keepalive_send(raw, &next)
    }

    /// Says good-bye, into the outgoing queue.
    func disconnect() {
        unsafe libssh2_session_disconnect_ex(raw, SSH_DISCONNECT_BY_APPLICATION, "", "")
    }

    private func finished(_ code: Int32) throws(LibraryError) -> Bool {
        if code == 0 { return true }
        if code == LIBSSH2_ERROR_EAGAIN { return false }
        throw error(code)
    }

    private func error(_ code: Int32) -> LibraryError { unsafe LibraryError(code: code, text: lastError(raw)) }
}

/// The one owner of a `LIBSSH2_CHANNEL`. It ends before its session's handle does.
@safe struct ChannelHandle: ~Copyable {
    static let window: UInt32 = 2 << 20
    static let packet: UInt32 = 32768

    private let raw: OpaquePointer
    private let session: OpaquePointer

    fileprivate init(_ raw: OpaquePointer, of session: OpaquePointer) {
        unsafe self.raw = raw
        unsafe self.session = session
    }

    deinit {
        // A channel is dropped after `free` returned true, or with its session's seam closed: this never waits.
        for _ in 0..<16 where unsafe libssh2_channel_free(raw) != LIBSSH2_ERROR_EAGAIN { return }
    }

    func set(_ name: String, to value: String) throws(LibraryError) -> Bool {
        try finished(
            unsafe libssh2_channel_setenv_ex(
                raw, name, UInt32(name.utf8.count), value, UInt32(value.utf8.count)))
    }

    func requestTerminal() throws(LibraryError) -> Bool {
        let kind = "xterm"
        return try finished(
            unsafe libssh2_channel_request_pty_ex(raw, kind, UInt32(kind.utf8.count), nil, 0, 80, 24, 0, 0))
    }

    func execute(_ command: String) throws(LibraryError) -> Bool {
        let request = "exec"
        return try finished(
            unsafe libssh2_channel_process_startup(
                raw, request, UInt32(request.utf8.count), command, UInt32(command.utf8.count)))
    }

    /// Reads what has come on a stream (0: output, 1: errors). `nil`: nothing now; 0: the end.
    func read(stream: Int32, into space: UnsafeMutableRawBufferPointer) throws(LibraryError) -> Int? {
        let count = unsafe libssh2_channel_read_ex(
            raw, stream, space.baseAddress?.assumingMemoryBound(to: CChar.self), space.count)
        if count > 0 { return count }
        if count == 0 { return unsafe libssh2_channel_eof(raw) == 0 ? nil : 0 }
        if count == Int(LIBSSH2_ERROR_EAGAIN) { return nil }
        throw error(Int32(count))
    }

    /// Sends some of `bytes`; returns how many, 0 when the peer takes nothing now.
    func write(_ bytes: UnsafeRawBufferPointer) throws(LibraryError) -> Int {
        let count = unsafe libssh2_channel_write_ex(
            raw, 0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        if count >= 0 { return count }
        if count == Int(LIBSSH2_ERROR_EAGAIN) { return 0 }
        throw error(Int32(count))
    }

    func sendEnd() throws(LibraryError) -> Bool { try finished(unsafe libssh2_channel_send_eof(raw)) }

    /// Whether the peer has closed the channel; only to be asked after the end of its output.
    func isClosedByPeer() throws(LibraryError) -> Bool { try finished(unsafe libssh2_channel_wait_closed(raw)) }

    /// Closes our side; true when the peer has closed its side too.
    func close() throws(LibraryError) -> Bool { try finished(unsafe libssh2_channel_close(raw)) }

    /// How the command ended, known when the peer has closed the channel.
    func end() -> CommandEnd {
        var signal: UnsafeMutablePointer<CChar>?
        var length = 0
        unsafe libssh2_channel_get_exit_signal(raw, &signal, &length, nil, nil, nil, nil)
        if let signal = unsafe signal {
            defer { unsafe libssh2_free(session, signal) }
            return .signalled(unsafe String(cString: signal))
        }
        return .exited(unsafe libssh2_channel_get_exit_status(raw))
    }

    private func finished(_ code: Int32) throws(LibraryError) -> Bool {
        if code == 0 { return true }
        if code == LIBSSH2_ERROR_EAGAIN { return false }
        throw error(code)
    }

    private func error(_ code: Int32) -> LibraryError { unsafe LibraryError(code: code, text: lastError(session)) }
}

private func lastError(_ session: OpaquePointer) -> String {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe libssh2_session_last_error(session, &text, nil, 0) != 0, let text = unsafe text else { return "" }
    return unsafe String(cString: text)
}
