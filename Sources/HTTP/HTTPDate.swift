import Values

/// Dates of HTTP, as seconds since 1970 in UTC.
package enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func text(_ seconds: Int) -> String {
        let day = Int((Double(seconds) / 86400).rounded(.down))
        let second = seconds - day * 86400
        let (year, month, date) = civil(day)
        let name = days[((day % 7) + 7) % 7]
        let clock = [second / 3600, second / 60 % 60, second % 60].map(two).joined(separator: ":")
        let years = String(repeating: "0", count: max(0, 4 - String(year).count)) + String(year)
        return "\(name), \(two(date)) \(months[month - 1]) \(years) \(clock) GMT"
    }

    /// Reads the three forms that servers send: that of `text`, `Sunday, 06-Nov-94 08:49:37 GMT` and
    /// `Sun Nov  6 08:49:37 1994`. `nil` for anything else.
    package static func seconds(_ text: String) -> Int? {
        let parts = text.split { $0 == " " || $0 == "," || $0 == "-" }
        switch parts.count {
        case 6 where parts[5] == "GMT" || parts[5] == "UTC":
            return seconds(year: parts[3], month: parts[2], date: parts[1], clock: parts[4])
        case 5: return seconds(year: parts[4], month: parts[1], date: parts[2], clock: parts[3])
        default: return nil
        }
    }

    private static func seconds(year: Substring, month: Substring, date: Substring, clock: Substring) -> Int? {
        guard year.utf8.count == 4 || year.utf8.count == 2, var years = number(year, 0...9999),
            let month = months.firstIndex(of: String(month)), let date = number(date, 1...31)
        else { return nil }
        // Two digits are the century that is nearer, as everyone reads them.
        if year.utf8.count == 2 { years += years < 70 ? 2000 : 1900 }
        let clock = clock.split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = number(clock[0], 0...23), let minute = number(clock[1], 0...59),
            let second = number(clock[2], 0...60)
        else { return nil }
        return days(years, month + 1, date) * 86400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ (48...57).contains($0) }),
            let value = Int(text), range.contains(value)
        else { return nil }
        return value
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Days since 1970 of a date. Years begin in March here, so that a leap day is a year's last.
    private static func days(_ year: Int, _ month: Int, _ date: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + date - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date of days since 1970: the inverse of `days`.
    private static func civil(_ day: Int) -> (year: Int, month: Int, date: Int) {
        let day = day + 719_468
        let era = (day >= 0 ? day : day - 146_096) / 146_097
        let dayOfEra = day - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
