import CLibSSH2
import Glibc

/// Where libssh2 and the outside meet: two queues of bytes instead of a socket.
///
/// libssh2 never sees a full send buffer, since the outgoing queue takes everything; so no call of it is ever
/// interrupted half sent, and what it waits for is always the other side. Whoever carries the bytes (a socket, or the
/// channel of another session for a jump host) empties one queue and fills the other.
final class Seam {
    /// Came from the peer, not yet taken by libssh2.
    var inbound = ByteQueue()
    /// Comes from libssh2, not yet carried away.
    var outbound = ByteQueue()
    /// How many bytes libssh2 has taken so far: tells whether a round of calls got anywhere.
    private(set) var taken = 0
    /// From here on libssh2 sees a dead connection, and everything it wants to send is dropped.
    var isClosed = false
    /// The answer to keyboard-interactive questions.
    var password: String?

    /// The callback of type `LIBSSH2_CALLBACK_SEND`.
    static let send: @convention(c) (
        Int32, UnsafeRawPointer?, Int, Int32, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int = { _, bytes, length, _, abstract in
        guard let seam = unsafe Seam.of(abstract), let bytes = unsafe bytes else { return -Int(EBADF) }
        if !seam.isClosed { unsafe seam.outbound.append(UnsafeRawBufferPointer(start: bytes, count: length)) }
        return length
    }

    /// The callback of type `LIBSSH2_CALLBACK_RECV`.
    static let receive: @convention(c) (
        Int32, UnsafeMutableRawPointer?, Int, Int32, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int = { _, space, length, _, abstract in
        guard let seam = unsafe Seam.of(abstract), let space = unsafe space else { return -Int(EBADF) }
        if seam.isClosed { return 0 }
        let count = unsafe seam.inbound.take(into: UnsafeMutableRawBufferPointer(start: space, count: length))
        seam.taken += count
        return count > 0 ? count : -Int(EAGAIN)
    }

    /// Answers every question of keyboard-interactive that does not echo with the password, the others with nothing.
    static let answer: @convention(c) (
        UnsafePointer<CChar>?, Int32, UnsafePointer<CChar>?, Int32, Int32,
        UnsafePointer<LIBSSH2_USERAUTH_KBDINT_PROMPT>?, UnsafeMutablePointer<LIBSSH2_USERAUTH_KBDINT_RESPONSE>?,
        UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Void = { _, _, _, _, count, prompts, responses, abstract in
        guard let seam = unsafe Seam.of(abstract), let prompts = unsafe prompts, let responses = unsafe responses
        else { return }
        for index in 0..<Int(count) {
            let text = unsafe prompts[index].echo == 0 ? seam.password ?? "" : ""
            // libssh2 frees the answers with free().
            unsafe responses[index].text = strdup(text)
            unsafe responses[index].length = UInt32(text.utf8.count)
        }
    }

    private static func of(_ abstract: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Seam? {
        guard let pointer = unsafe abstract?.pointee else { return nil }
        return unsafe Unmanaged<Seam>.fromOpaque(pointer).takeUnretainedValue()
    }
}

/// A signature that an SSH agent is asked for, while libssh2 waits.
final class Signing {
    /// What has to be signed; set by libssh2's first call.
    private(set) var data: [UInt8]?
    /// The agent's answer: the signature proper, without its algorithm's name.
    var signature: Result<[UInt8], AgentRefusal>?

    struct AgentRefusal: Error {}

    /// The callback that libssh2 calls for a signature, again and again until there is one.
    static let callback: @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, UnsafeMutablePointer<Int>?,
        UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 = { _, signature, length, data, count, abstract in
        guard let pointer = unsafe abstract?.pointee, let data = unsafe data else { return -1 }
        let signing = unsafe Unmanaged<Signing>.fromOpaque(pointer).takeUnretainedValue()
        guard let answer = signing.signature else {
            signing.data = unsafe Array(UnsafeBufferPointer(start: data, count: count))
            return LIBSSH2_ERROR_EAGAIN
        }
        // libssh2 frees the signature with free().
        guard case .success(let bytes) = answer, let copy = unsafe malloc(max(1, bytes.count)) else { return -1 }
        unsafe UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyBytes(from: bytes)
        unsafe signature?.pointee = copy.assumingMemoryBound(to: UInt8.self)
        unsafe length?.pointee = bytes.count
        return 0
    }
}
