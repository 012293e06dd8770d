/// Which of Python's types a date or time is. Its text is what Python prints for it.
package enum Moment: Sendable, Hashable {
    /// `2024-01-31`
    case date
    /// `2024-01-31 10:00:00.500000+02:00`
    case dateTime
    /// `10:00:00`
    case time
}

extension Text {
    /// Which of Python's types this is, where it is no string.
    package var moment: Moment? { mark?.moment }

    /// The text of a date or time.
    package init(_ string: String, _ moment: Moment, at place: Place? = nil) {
        self.init(string, mark: Mark(place: place, moment: moment))
    }

    /// As JSON has it: dates and times as `isoformat()` writes them.
    package var isoformat: String {
        moment == .dateTime ? string.replacing(" ", with: "T", maxReplacements: 1) : string
    }

    /// Python's `repr()`: `datetime.date(2024, 1, 31)`.
    var pythonRepr: String {
        guard let moment else { return Value.repr(ofText: string) }
        let halves = string.split(separator: " ", maxSplits: 1)
        let date = moment == .time ? [] : (halves.first ?? "").split(separator: "-").map { Int($0) ?? 0 }
        if moment == .date { return "datetime.date(\(Self.listed(date)))" }
        let clock = halves.last ?? ""
        let zone = clock.lastIndex { $0 == "+" || $0 == "-" }
        let parts = clock[..<(zone ?? clock.endIndex)].split { $0 == ":" || $0 == "." }.map { Int($0) ?? 0 }
        var numbers = date + parts
        let least = date.count + 2
        while numbers.count > least, numbers.last == 0 { numbers.removeLast() }
        let shown = Self.listed(numbers) + (zone.map { ", tzinfo=" + Self.zone(clock[$0...]) } ?? "")
        return "datetime.\(moment == .time ? "time" : "datetime")(\(shown))"
    }

    private static func listed(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }

    private static func zone(_ text: Substring) -> String {
        let parts = text.dropFirst().split(separator: ":").map { Int($0) ?? 0 } + [0, 0, 0]
        let seconds = (parts[0] * 3600 + parts[1] * 60 + parts[2]) * (text.hasPrefix("-") ? -1 : 1)
        if seconds == 0 { return "datetime.timezone.utc" }
        let shown = seconds < 0 ? "days=-1, seconds=\(seconds + 86_400)" : "seconds=\(seconds)"
        return "datetime.timezone(datetime.timedelta(\(shown)))"
    }
}
