import Controller
import Testing
import Wire

/// Scripts of what hosts ask, and whom that lets go: `a turn 1` asks, behind `->` stands who goes on.
@Suite struct BarrierTests {
    static let scripts: [(name: String, text: String)] = [
        (
            "changes keep their order, and equal positions go together",
            """
            hosts a b c
            a turn 1 ->
            b turn 2 ->
            c turn 1 -> a c
            a turn 2 ->
            c end -> a b
            """
        ),
        (
            "a host that ended holds nobody up",
            """
            hosts a b
            a turn 3 ->
            b end -> a
            a turn 9 -> a
            """
        ),
        (
            "items of a loop do not wait for other hosts at the same task",
            """
            hosts a b
            a turn 4 ->
            b turn 4 -> a b
            a turn 4 -> a
            a turn 5 ->
            b turn 5 -> a b
            """
        ),
        (
            "forks limit those who change",
            """
            hosts a b c d
            forks 2
            a turn 1 ->
            b turn 1 ->
            c turn 1 ->
            d turn 1 -> a b
            a turn 2 -> c
            b end -> d
            c turn 2 ->
            d turn 2 -> a c
            c end -> d
            """
        ),
        (
            "throttle limits one task",
            """
            hosts a b c
            a turn/1 1 ->
            b turn/1 1 ->
            c turn/1 1 -> a
            a turn 2 -> b
            b turn 2 -> c
            c turn 2 -> a b c
            """
        ),
        (
            "the first host of the batch runs what is run once",
            """
            hosts a b c
            c once 1 ->
            b once 1 ->
            a once 1 -> a
            a turn 1 -> a
            a done 1 -> b+ c+
            a turn 2 ->
            b turn 2 ->
            c turn 2 -> a b c
            """
        ),
        (
            "when that host is lost, the next one runs it",
            """
            hosts a b c
            a once 1 ->
            b once 1 ->
            c once 1 -> a
            a end -> b
            b done 1 -> c+
            """
        ),
        (
            "a look at other hosts waits for what they do before",
            """
            hosts a b
            a look 2 ->
            b turn 1 -> b
            b look 2 -> a b
            """
        ),
        (
            "a stop lets earlier positions pass",
            """
            hosts a b c
            forks 1
            a turn 1 ->
            b turn 1 ->
            c turn 2 -> a
            stop 1 -> c!
            a end -> b
            b turn 2 -> b!
            """
        ),
        (
            "free hosts go at once",
            """
            hosts a b
            free
            a turn 7 -> a
            b turn 1 -> b
            a once 9 -> a
            b once 9 ->
            a done 9 -> b+
            """
        ),
        (
            "parts inside an include come before the next task",
            """
            hosts a b
            a turn 2.0.1 ->
            b turn 3 -> a
            a turn 2.1.1 -> a
            a turn 3 -> a b
            """
        ),
    ]

    @Test(arguments: scripts.indices) func script(_ index: Int) throws {
        let lines = Self.scripts[index].text.split(separator: "\n").map(String.init)
        var names: [String] = []
        var forks = 0
        var isFree = false
        var barrier: Barrier?
        for line in lines {
            let halves = line.components("->")
            let words = halves[0].split(separator: " ").map(String.init)
            switch words[0] {
            case "hosts": names = Array(words.dropFirst())
            case "forks": forks = Int(words[1]) ?? 0
            case "free": isFree = true
            default:
                var running = barrier ?? Barrier(hosts: names.count, forks: forks, isFree: isFree)
                let releases = play(words, names, &running)
                barrier = running
                let gone = releases.sorted { $0.host < $1.host }.map { shown($0, names) }.joined(separator: " ")
                #expect(gone == halves[1], "\(Self.scripts[index].name): \(line)")
            }
        }
    }

    private func play(_ words: [String], _ names: [String], _ barrier: inout Barrier) -> [Barrier.Release] {
        if words[0] == "stop" { return barrier.stop(after: position(words[1]), reason: "stop") }
        let host = names.firstIndex(of: words[0]) ?? 0
        switch words[1] {
        case "end": return barrier.end(host)
        case "done": return barrier.finishOnce(position(words[2]))
        case "once": return barrier.ask(host, position(words[2]), .once)
        case "look": return barrier.ask(host, position(words[2]), .look)
        default:
            let throttle = words[1].split(separator: "/").dropFirst().first.flatMap { Int($0) } ?? 0
            return barrier.ask(host, position(words[2]), .turn(throttle: throttle))
        }
    }

    private func shown(_ release: Barrier.Release, _ names: [String]) -> String {
        switch release.kind {
        case .proceed: names[release.host]
        case .follow: names[release.host] + "+"
        case .stop: names[release.host] + "!"
        }
    }

    @Test func aThousandHostsWithFiftyTasks() {
        var barrier = Barrier(hosts: 1000)
        for task in 1...50 {
            var count = 0
            for host in 0..<1000 { count += barrier.ask(host, Position([0, task]), .turn(throttle: 0)).count }
            #expect(count == 1000)
        }
    }
}

func position(_ text: String) -> Position { Position(text.split(separator: ".").compactMap { Int($0) }) }

extension String {
    /// The parts around a separator, without blanks at their ends.
    func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map { part in
            var part = part
            while part.first == " " { part.removeFirst() }
            while part.last == " " { part.removeLast() }
            return String(part)
        }
    }
}
