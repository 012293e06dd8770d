/// Bytes in order: appended at the end, taken from the front, without moving what stays.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { head == bytes.count }

    mutating func append(_ more: [UInt8]) {
        if isEmpty { reset() }
        bytes += more
    }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if isEmpty { reset() }
        unsafe bytes.append(contentsOf: more)
    }

    /// Moves up to `space.count` bytes into `space`; returns how many.
    mutating func take(into space: UnsafeMutableRawBufferPointer) -> Int {
        let length = min(count, space.count)
        guard length > 0 else { return 0 }
        unsafe bytes.withUnsafeBytes { source in
            unsafe space.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[head..<head + length]))
        }
        drop(length)
        return length
    }

    /// All bytes; the queue is empty afterwards.
    mutating func takeAll() -> [UInt8] {
        let all = head == 0 ? bytes : Array(bytes[head...])
        bytes = []
        head = 0
        return all
    }

    /// Hands the bytes to `body` without a copy; `body` returns how many of them are done with.
    mutating func consume<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        // The typed error cannot cross `withUnsafeBytes` as it is declared; a `Result` carries it.
        let result: Result<Int, Failure> = unsafe bytes.withUnsafeBytes { source in
            do throws(Failure) {
                return .success(unsafe try body(UnsafeRawBufferPointer(rebasing: source[head...])))
            } catch { return .failure(error) }
        }
        let done = try result.get()
        drop(done)
        return done
    }

    mutating func drop(_ length: Int) {
        head += length
        if isEmpty {
            reset()
        } else if head > 1 << 20 {
            bytes.removeSubrange(..<head)
            head = 0
        }
    }

    private mutating func reset() {
        head = 0
        // One burst must not keep its memory for the rest of a connection's life: there may be a thousand of them.
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 18)
    }
}
