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
    /// Counts what has arrived: the engine waits by reading from it.
    private let arrivals = eventfd(0, Int32(EFD_SEMAPHORE.rawValue | EFD_CLOEXEC.rawValue))
    /// Readable from the moment on when everything must end.
    let abortion = eventfd(0, Int32(EFD_CLOEXEC.rawValue))

    init(input: Int32) { self.input = input }

    func start() {
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context { unsafe Unmanaged<Inbox>.fromOpaque(context).takeRetainedValue().readAll() }
                return nil
            }, context)
        if result == 0 { pthread_detach(thread) } else { close("no thread could be started") }
    }

    /// Whether the run is to end after the task in hand.
    var stopReason: String? { state.withLock { $0.stopReason } }

    /// The next order; `nil` when the controller is gone.
    func next() -> Order? {
        while true {
            var count: UInt64 = 0
            let result = unsafe read(arrivals, &count, 8)
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
            signal(abortion)
        default: break
        }
        state.withLock { $0.orders.append(order) }
        signal(arrivals)
    }

    private func close(_ reason: String) {
        state.withLock { state in
            state.isClosed = true
            state.stopReason = state.stopReason ?? reason
        }
        signal(arrivals)
    }

    private func signal(_ descriptor: Int32) {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }
}
