import Engine
import Glibc
import Synchronization
import Values
import Wire

/// What the controller sends, read by a thread of its own, so that a stop is heard while a module runs.
///
/// The one place in the agent where two threads meet: the reader appends, the engine takes.
final class Inbox: Sendable {
    private struct State {
        var orders: [Order] = []
        var stopReason: String?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let input: Int32
    /// A byte for each order that has arrived: the engine waits by reading it.
    private let arrivals: (reader: Int32, writer: Int32)
    private let abortions: (reader: Int32, writer: Int32)

    init(input: Int32) {
        self.input = input
        arrivals = Self.pipe()
        abortions = Self.pipe()
    }

    /// Readable from the moment on when everything must end.
    var abortion: Int32 { abortions.reader }

    private static func pipe() -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    func start() {
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Inbox>.fromOpaque(context).takeRetainedValue().readAll()
                }
                return nil
            }, context)
        if result == 0 { pthread_detach(thread) } else { close("no thread could be started") }
    }

    /// Whether the run is to end after the task in hand.
    var stopReason: String? { state.withLock { $0.stopReason } }

    /// The next order; `nil` when the controller is gone.
    func next() -> Order? {
        while true {
            var byte: UInt8 = 0
            let result = unsafe read(arrivals.reader, &byte, 1)
            if result < 0, errno == EINTR { continue }
            let (order, isClosed) = state.withLock { state in
                (state.orders.isEmpty ? nil : state.orders.removeFirst(), state.isClosed)
            }
            if let order { return order }
            if isClosed { return nil }
        }
    }

    private func readAll() {
        var frames = FrameBuffer()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(input, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return close("the controller is gone") }
            frames.append(buffer[..<count])
            do throws(WireError) {
                while let order = try frames.next(Order.self) { take(order) }
            } catch { return close(error.description) }
        }
    }

    private func take(_ order: Order) {
        switch order {
        case .finish: state.withLock { $0.stopReason = "interrupted" }
        case .abort:
            state.withLock { $0.stopReason = "interrupted" }
            signal(abortions.writer)
        default: break
        }
        state.withLock { $0.orders.append(order) }
        signal(arrivals.writer)
    }

    private func close(_ reason: String) {
        state.withLock { state in
            state.isClosed = true
            state.stopReason = state.stopReason ?? reason
        }
        signal(arrivals.writer)
    }

    private func signal(_ descriptor: Int32) {
        var one: UInt8 = 1
        _ = unsafe write(descriptor, &one, 1)
    }
}
