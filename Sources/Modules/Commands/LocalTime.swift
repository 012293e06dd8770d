import Values
import Glibc

/// A moment in the machine's own time zone, for results and facts.
struct LocalTime: Sendable {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    let microsecond: Int
    /// 0 is Sunday.
    let weekday: Int
    /// 0 to 365.
    let yearDay: Int
    /// Seconds east of UTC.
    let offset: Int
    /// `UTC`, `CEST`
    let zone: String
    let isSummer: Bool
    private let seconds: Double

    /// - Parameter seconds: since 1970.
    init(_ seconds: Double, utc: Bool = false) {
        self.seconds = seconds
        let whole = seconds.rounded(.down)
        var time = time_t(whole)
        var parts = unsafe tm()
        if utc { _ = unsafe gmtime_r(&time, &parts) } else { _ = unsafe localtime_r(&time, &parts) }
        year = unsafe Int(parts.tm_year) + 1900
        month = unsafe Int(parts.tm_mon) + 1
        day = unsafe Int(parts.tm_mday)
        hour = unsafe Int(parts.tm_hour)
        minute = unsafe Int(parts.tm_min)
        second = unsafe Int(parts.tm_sec)
        weekday = unsafe Int(parts.tm_wday)
        yearDay = unsafe Int(parts.tm_yday)
        offset = unsafe Int(parts.tm_gmtoff)
        isSummer = unsafe parts.tm_isdst > 0
        zone = unsafe parts.tm_zone.map { unsafe String(cString: $0) } ?? "UTC"
        microsecond = min(999_999, Int((seconds - whole) * 1_000_000))
    }

    /// `2026-05-04 03:02:01.123456`, as Python prints a `datetime`.
    var timestamp: String {
        "\(date) \(time)" + (microsecond > 0 ? "." + Self.digits(microsecond, 6) : "")
    }
    var date: String { "\(year)-\(Self.digits(month, 2))-\(Self.digits(day, 2))" }
    var time: String { [hour, minute, second].map { Self.digits($0, 2) }.joined(separator: ":") }

    /// The zone's name in summer of that year; where there is no summer time, its only name.
    var summerZone: String {
        for month in 0..<12 {
            let other = LocalTime(seconds + Double(month) * 30 * 86400)
            if other.isSummer { return other.zone }
        }
        return zone
    }

    /// `0:00:01.123456`, as Python prints a `timedelta`.
    static func duration(_ seconds: Double) -> String {
        let micros = Int((seconds * 1_000_000).rounded())
        let whole = micros / 1_000_000
        let days = whole / 86400
        let prefix = days == 0 ? "" : "\(days) day\(days == 1 ? "" : "s"), "
        let clock = "\(whole / 3600 % 24):\(digits(whole / 60 % 60, 2)):\(digits(whole % 60, 2))"
        return prefix + clock + (micros % 1_000_000 > 0 ? "." + digits(micros % 1_000_000, 6) : "")
    }

    /// The number with leading zeros.
    static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

/// The present moment, as results tell it.
package func presentMoment() -> String {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return LocalTime(Double(time.tv_sec) + Double(time.tv_nsec) / 1e9).timestamp
}

/// Seconds of a clock that never jumps.
package func steadySeconds() -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The system's text for an errno.
func errorName(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
