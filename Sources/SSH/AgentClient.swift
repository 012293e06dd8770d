import Dispatch
import Glibc

/// Talks to an SSH agent: which keys it has, and signatures with them.
///
/// An agent may ask its user before it signs, so it is talked to on a thread that may wait.
struct AgentClient: Sendable {
    let path: String

    struct Key: Sendable {
        let publicKey: PublicKey
        let comment: String
    }

    /// The keys the agent has; `nil` when there is no agent at the path.
    func keys() async -> [Key]? {
        await offLoop {
            guard var fields = ask([11]).map({ FieldReader($0) }), fields.byte() == 12, let count = fields.number()
            else { return nil }
            var keys: [Key] = []
            for _ in 0..<count {
                guard let blob = fields.string(), let comment = fields.text() else { return nil }
                keys.append(Key(publicKey: PublicKey(blob: blob), comment: comment))
            }
            return keys
        }
    }

    /// Signs `data`; the answer comes on another thread. `nil`: the agent refused or is gone.
    func sign(_ data: [UInt8], with key: PublicKey, _ completion: @escaping @Sendable ([UInt8]?) -> Void) {
        DispatchQueue.global().async {
            let request: [UInt8] = [13] + field(key.blob) + field(data) + [0, 0, 0, 0]
            guard var fields = ask(request).map({ FieldReader($0) }), fields.byte() == 14,
                let signature = fields.string()
            else { return completion(nil) }
            var inner = FieldReader(signature)
            completion(inner.string() != nil ? inner.string() : nil)
        }
    }

    /// One request, one answer; each without its length.
    private func ask(_ request: [UInt8]) -> [UInt8]? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { return nil }
        let message = field(request)
        let sent = unsafe message.withUnsafeBytes { bytes in
            unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == message.count, let head = receive(4, from: descriptor) else { return nil }
        var fields = FieldReader(head)
        // Agents answer with at most 256 KiB.
        guard let length = fields.number(), length > 0, length <= 256 << 10 else { return nil }
        return receive(length, from: descriptor)
    }

    private func receive(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = unsafe bytes.withUnsafeMutableBytes { space in
            unsafe recv(descriptor, space.baseAddress, space.count, Int32(MSG_WAITALL))
        }
        return received == count ? bytes : nil
    }
}

/// Runs work that may block (name resolution, agents) on a thread where it may.
func offLoop<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: work()) }
    }
}
