import Glibc
import Values

/// How far local time is from UTC.
enum TimeZone {
    /// Seconds east of UTC and the zone's name at a moment.
    static func local(at seconds: Int) -> (offset: Int, name: String) {
        var time = time_t(seconds)
        var parts = unsafe tm()
        unsafe localtime_r(&time, &parts)
        let name = unsafe parts.tm_zone.map { unsafe String(cString: $0) } ?? "UTC"
        return (unsafe Int(parts.tm_gmtoff), name)
    }
}

/// Python's `datetime`, `date` or `time`.
final class DateTime: RuntimeObject {
    /// Since 1970-01-01 00:00:00 of the zone it is meant in; of a time alone, since midnight.
    let microseconds: Int
    let kind: Moment
    /// Seconds east of UTC; `nil` where no zone is said.
    let offset: Int?

    init(microseconds: Int, _ kind: Moment = .dateTime, offset: Int? = nil) {
        self.microseconds = microseconds
        self.kind = kind
        self.offset = offset
    }

    var typeName: String {
        switch kind {
        case .date: "date"
        case .dateTime: "datetime"
        case .time: "time"
        }
    }

    var day: Int { microseconds.floorDivided(by: 86_400_000_000) }
    var secondOfDay: Int { (microseconds - day * 86_400_000_000) / 1_000_000 }
    var microsecond: Int { microseconds - microseconds.floorDivided(by: 1_000_000) * 1_000_000 }

    /// Year, month and day of the proleptic Gregorian calendar.
    var civil: (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.floorDivided(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Monday is 0.
    var weekday: Int { (day + 3) - (day + 3).floorDivided(by: 7) * 7 }
    var dayOfYear: Int { day - Self.days(civil.year, 1, 1) + 1 }

    var iso: (year: Int, week: Int) {
        let thursday = DateTime(microseconds: (day - weekday + 3) * 86_400_000_000)
        return (thursday.civil.year, (thursday.dayOfYear - 1) / 7 + 1)
    }

    func text(_ evaluator: Evaluator) throws(TemplateError) -> String { printed(" ") }

    func value(_ evaluator: Evaluator) throws(TemplateError) -> Value? { .string(Text(printed(" "), kind)) }

    private func printed(_ separator: String) -> String {
        if kind == .date { return formatted("%Y-%m-%d") }
        let clock = formatted("%H:%M:%S") + (microsecond == 0 ? "" : "." + Self.padded(microsecond, 6))
        if kind == .time { return clock }
        return formatted("%Y-%m-%d") + separator + clock + (offset.map(Self.zone) ?? "")
    }

    private static func zone(_ offset: Int) -> String {
        let minutes = abs(offset) / 60
        return (offset < 0 ? "-" : "+") + padded(minutes / 60, 2) + ":" + padded(minutes % 60, 2)
    }

    func adding(_ microseconds: Int) -> DateTime {
        let sum = self.microseconds + microseconds
        guard kind == .date else { return DateTime(microseconds: sum, kind, offset: offset) }
        return DateTime(microseconds: sum.floorDivided(by: 86_400_000_000) * 86_400_000_000, .date)
    }

    /// Where it stands among those of its type: moments that name their zones are compared in one.
    var absolute: Int { microseconds - (offset ?? 0) * 1_000_000 }

    func isComparable(with other: DateTime) -> Bool {
        kind == other.kind && (offset == nil) == (other.offset == nil)
    }

    func subtracting(_ other: Datum) throws(TemplateError) -> Datum {
        if let date = other.runtimeObject as? DateTime, date.kind == kind, kind != .time {
            guard isComparable(with: date) else {
                throw TemplateError("can't subtract offset-naive and offset-aware datetimes")
            }
            return .object(TimeDelta(microseconds: absolute - date.absolute))
        }
        if let delta = other.runtimeObject as? TimeDelta { return .object(adding(-delta.microseconds)) }
        throw TemplateError("unsupported operand type(s) for -: '\(typeName)' and '\(other.typeName)'")
    }

    /// The fields that each kind has, in the order of Python's constructors.
    private var fields: KeyValuePairs<String, Int> {
        switch kind {
        case .date: ["year": civil.year, "month": civil.month, "day": civil.day]
        case .time:
            [
                "hour": secondOfDay / 3600, "minute": secondOfDay / 60 % 60, "second": secondOfDay % 60,
                "microsecond": microsecond,
            ]
        case .dateTime:
            [
                "year": civil.year, "month": civil.month, "day": civil.day, "hour": secondOfDay / 3600,
                "minute": secondOfDay / 60 % 60, "second": secondOfDay % 60, "microsecond": microsecond,
            ]
        }
    }

    private func replaced(_ call: Call) throws(TemplateError) -> Datum {
        let names = fields.map(\.key)
        let given = try call.bound(names)
        var new = Dictionary(uniqueKeysWithValues: fields.map { ($0.key, $0.value) })
        for (name, value) in zip(names, given) {
            guard let value else { continue }
            guard let int = value.int else {
                throw TemplateError("'\(value.typeName)' object cannot be interpreted as an integer")
            }
            new[name] = int
        }
        guard
            let date = DateTime(
                [new["year"] ?? 1970, new["month"] ?? 1, new["day"] ?? 1],
                [new["hour"] ?? 0, new["minute"] ?? 0, new["second"] ?? 0, new["microsecond"] ?? 0], kind, offset)
        else { throw TemplateError("\(typeName).replace(): a value is out of range") }
        return .object(date)
    }

    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        if let field = fields.first(where: { $0.key == name }) { return .int(field.value) }
        switch name {
        case "replace":
            return .object(Function(name) { [self] (call) throws(TemplateError) in try self.replaced(call) })
        case "timestamp" where kind != .dateTime, "date" where kind != .dateTime, "time" where kind != .dateTime,
            "weekday" where kind == .time, "isoweekday" where kind == .time, "isocalendar" where kind == .time:
            return nil
        case "strftime":
            return .object(
                Function(name) { [self] (call) throws(TemplateError) in
                    // A zone of `%z` has no name but its distance.
                    let zone = self.offset.map { (offset: $0, name: $0 == 0 ? "UTC" : "UTC" + Self.zone($0)) }
                    return .string(self.formatted(try call.bound(["format"], required: 1)[0]?.text ?? "", zone: zone))
                })
        case "isoformat":
            return .object(
                Function(name) { [self] (call) throws(TemplateError) in
                    let separator = try call.bound(["sep"])[0]?.text ?? "T"
                    return .string(self.printed(separator))
                })
        case "timestamp":
            return .object(
                Function(name) { [self] (_) throws(TemplateError) in
                    let seconds = self.microseconds.floorDivided(by: 1_000_000)
                    let offset = self.offset ?? TimeZone.local(at: seconds).offset
                    return .double(Double(self.microseconds - offset * 1_000_000) / 1_000_000)
                })
        case "isocalendar":
            return .object(
                Function(name) { [self] (_) throws(TemplateError) in
                    .tuple([.int(self.iso.year), .int(self.iso.week), .int(self.weekday + 1)])
                })
        case "weekday": return .object(Function(name) { [self] (_) throws(TemplateError) in .int(self.weekday) })
        case "isoweekday": return .object(Function(name) { [self] (_) throws(TemplateError) in .int(self.weekday + 1) })
        case "date":
            return .object(
                Function(name) { [self] (_) throws(TemplateError) in
                    .object(DateTime(microseconds: self.day * 86_400_000_000, .date))
                })
        case "time":
            return .object(
                Function(name) { [self] (_) throws(TemplateError) in
                    .object(DateTime(microseconds: self.microseconds - self.day * 86_400_000_000, .time))
                })
        default: return nil
        }
    }

    static func padded(_ number: Int, _ width: Int, _ fill: String = "0") -> String {
        let digits = String(abs(number))
        return (number < 0 ? "-" : "") + String(repeating: fill, count: max(0, width - digits.count)) + digits
    }

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// `strftime` in the C locale.
    func formatted(_ format: String, zone: (offset: Int, name: String)? = nil, epoch: Int? = nil) -> String {
        var out = ""
        var escaped = false
        var flag: Character?
        for character in format {
            guard escaped else {
                if character == "%" { escaped = true } else { out.append(character) }
                continue
            }
            if flag == nil, "-_0^".contains(character) {
                flag = character
                continue
            }
            let plain = field(character, zone, epoch)
            switch flag {
            case "-":
                let rest = plain.drop { $0 == "0" || $0 == " " }
                out += rest.isEmpty ? String(plain.suffix(1)) : String(rest)
            case "^": out += plain.uppercased()
            case "_":
                let rest = plain.drop { $0 == "0" }
                out += String(repeating: " ", count: plain.count - rest.count) + rest
            default: out += plain
            }
            escaped = false
            flag = nil
        }
        return escaped ? out + "%" : out
    }

    private func field(_ letter: Character, _ zone: (offset: Int, name: String)?, _ epoch: Int?) -> String {
        let (year, month, dayOfMonth) = civil
        let hour = secondOfDay / 3600
        let twelve = hour % 12 == 0 ? 12 : hour % 12
        switch letter {
        case "Y": return String(year)
        case "C": return Self.padded(year / 100, 2)
        case "y": return Self.padded(year % 100, 2)
        case "m": return Self.padded(month, 2)
        case "d": return Self.padded(dayOfMonth, 2)
        case "e": return Self.padded(dayOfMonth, 2, " ")
        case "H": return Self.padded(hour, 2)
        case "k": return Self.padded(hour, 2, " ")
        case "I": return Self.padded(twelve, 2)
        case "l": return Self.padded(twelve, 2, " ")
        case "M": return Self.padded(secondOfDay / 60 % 60, 2)
        case "S": return Self.padded(secondOfDay % 60, 2)
        // What has an epoch is no datetime: C's function knows no microseconds.
        case "f": return epoch == nil ? Self.padded(microsecond, 6) : "%f"
        case "j": return Self.padded(dayOfYear, 3)
        case "p": return hour < 12 ? "AM" : "PM"
        case "P": return hour < 12 ? "am" : "pm"
        case "a": return String(Self.weekdays[weekday].prefix(3))
        case "A": return Self.weekdays[weekday]
        case "b", "h": return String(Self.months[month - 1].prefix(3))
        case "B": return Self.months[month - 1]
        case "u": return String(weekday + 1)
        case "w": return String((weekday + 1) % 7)
        case "U": return Self.padded((dayOfYear + 6 - (weekday + 1) % 7) / 7, 2)
        case "W": return Self.padded((dayOfYear + 6 - weekday) / 7, 2)
        case "V": return Self.padded(iso.week, 2)
        case "G": return String(iso.year)
        case "D": return formatted("%m/%d/%y")
        case "F": return formatted("%Y-%m-%d")
        case "T", "X": return formatted("%H:%M:%S")
        case "x": return formatted("%m/%d/%y")
        case "R": return formatted("%H:%M")
        case "r": return formatted("%I:%M:%S %p")
        case "c": return formatted("%a %b %e %H:%M:%S %Y")
        case "s":
            let seconds = microseconds.floorDivided(by: 1_000_000)
            return String(epoch ?? seconds - TimeZone.local(at: seconds).offset)
        case "z":
            guard let zone else { return "" }
            let minutes = abs(zone.offset) / 60
            return (zone.offset < 0 ? "-" : "+") + Self.padded(minutes / 60, 2) + Self.padded(minutes % 60, 2)
        case "Z": return zone?.name ?? ""
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        default: return "%\(letter)"
        }
    }

    /// What the numbers say; `nil` where there is no such day or time.
    convenience init?(_ date: [Int], _ clock: [Int], _ kind: Moment, _ offset: Int? = nil) {
        guard (1...9999).contains(date[0]), (1...12).contains(date[1]), (0..<24).contains(clock[0]),
            (0..<60).contains(clock[1]), (0..<60).contains(clock[2]), (0..<1_000_000).contains(clock[3])
        else { return nil }
        let leap = date[0] % 4 == 0 && (date[0] % 100 != 0 || date[0] % 400 == 0)
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[date[1] - 1]).contains(date[2]) else { return nil }
        let days = Self.days(date[0], date[1], date[2])
        let seconds = days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
        self.init(microseconds: seconds * 1_000_000 + clock[3], kind, offset: offset)
    }

    /// What Python printed.
    convenience init?(_ text: String, _ kind: Moment) {
        let halves = text.split(separator: " ")
        var date = [1970, 1, 1]
        if kind != .time {
            date = (halves.first ?? "").split(separator: "-").compactMap { Int($0) }
            guard date.count == 3 else { return nil }
        }
        guard kind != .date else {
            self.init(date, [0, 0, 0, 0], .date)
            return
        }
        let clock = halves.last ?? ""
        let zone = clock.lastIndex { $0 == "+" || $0 == "-" }
        var parts = clock[..<(zone ?? clock.endIndex)].split { $0 == ":" || $0 == "." }.compactMap { Int($0) }
        if parts.count == 3 { parts.append(0) }
        guard parts.count == 4 else { return nil }
        let away = zone.map { clock[$0...].dropFirst().split(separator: ":").compactMap { Int($0) } }
        guard away == nil || away?.count == 2 else { return nil }
        let isWest = zone.map { clock[$0] == "-" } ?? false
        self.init(date, parts, kind, away.map { ($0[0] * 3600 + $0[1] * 60) * (isWest ? -1 : 1) })
    }

    /// `strptime`: what the text says under the format.
    static func parsed(_ text: String, _ format: String) throws(TemplateError) -> DateTime {
        var reader = DateReader(text)
        try reader.read(Array(format), whole: format)
        return try reader.result(text, format)
    }
}

private struct DateReader {
    private let characters: [Character]
    private var at = 0
    private var year = 1900, month = 1, day = 1, hour = 0, minute = 0, second = 0, microsecond = 0
    private var offset: Int?
    private var isAfternoon: Bool?
    private var dayOfYear: Int?
    private var isoYear: Int?, isoWeek: Int?
    private var sundayWeek: Int?, mondayWeek: Int?
    /// Monday is 0.
    private var weekday: Int?

    init(_ text: String) { characters = Array(text) }

    private func mismatch(_ format: String) -> TemplateError {
        TemplateError("time data '\(String(characters))' does not match format '\(format)'")
    }

    private mutating func number(_ most: Int, _ format: String) throws(TemplateError) -> Int {
        let digits = characters[at...].prefix(most).prefix { $0.isASCII && $0.isNumber }
        guard let value = Int(String(digits)) else { throw mismatch(format) }
        at += digits.count
        return value
    }

    private mutating func word(_ words: [String], _ format: String) throws(TemplateError) -> Int {
        let rest = String(characters[at...]).lowercased()
        for (index, word) in words.enumerated() where rest.hasPrefix(word.lowercased()) {
            at += word.count
            return index
        }
        throw mismatch(format)
    }

    mutating func read(_ format: [Character], whole: String) throws(TemplateError) {
        var index = 0
        while index < format.count {
            let character = format[index]
            if character == "%", index + 1 < format.count {
                try field(format[index + 1], whole)
                index += 2
            } else if character.isWhitespace {
                guard at < characters.count, characters[at].isWhitespace else { throw mismatch(whole) }
                while at < characters.count, characters[at].isWhitespace { at += 1 }
                while index < format.count, format[index].isWhitespace { index += 1 }
            } else {
                guard at < characters.count, characters[at].lowercased() == character.lowercased() else {
                    throw mismatch(whole)
                }
                at += 1
                index += 1
            }
        }
    }

    private mutating func field(_ letter: Character, _ whole: String) throws(TemplateError) {
        switch letter {
        case "Y": year = try number(4, whole)
        case "y":
            let two = try number(2, whole)
            year = two < 69 ? 2000 + two : 1900 + two
        case "m": month = try number(2, whole)
        case "d", "e": day = try number(2, whole)
        case "H", "I": hour = try number(2, whole)
        case "M": minute = try number(2, whole)
        case "S": second = try number(2, whole)
        case "j": dayOfYear = try number(3, whole)
        case "f":
            let start = at
            let value = try number(6, whole)
            microsecond = value * [1, 100_000, 10_000, 1000, 100, 10, 1][at - start]
        case "p": isAfternoon = try word(["AM", "PM"], whole) == 1
        case "B": month = try word(DateTime.months, whole) + 1
        case "b", "h": month = try word(DateTime.months.map { String($0.prefix(3)) }, whole) + 1
        case "A": weekday = try word(DateTime.weekdays, whole)
        case "a": weekday = try word(DateTime.weekdays.map { String($0.prefix(3)) }, whole)
        case "u": weekday = try number(1, whole) - 1
        case "w": weekday = (try number(1, whole) + 6) % 7
        case "G": isoYear = try number(4, whole)
        case "V": isoWeek = try number(2, whole)
        case "U": sundayWeek = try number(2, whole)
        case "W": mondayWeek = try number(2, whole)
        case "T": try read(Array("%H:%M:%S"), whole: whole)
        case "D": try read(Array("%m/%d/%y"), whole: whole)
        case "F": try read(Array("%Y-%m-%d"), whole: whole)
        case "z":
            if at < characters.count, characters[at] == "Z" {
                at += 1
                offset = 0
                return
            }
            guard at < characters.count, characters[at] == "+" || characters[at] == "-" else { throw mismatch(whole) }
            at += 1
            let sign = characters[at - 1] == "-" ? -1 : 1
            let hours = try number(2, whole)
            if at < characters.count, characters[at] == ":" { at += 1 }
            offset = sign * (hours * 3600 + (try number(2, whole)) * 60)
        case "Z": while at < characters.count, characters[at].isLetter { at += 1 }
        case "%":
            guard at < characters.count, characters[at] == "%" else { throw mismatch(whole) }
            at += 1
        default: throw TemplateError("'\(letter)' is a bad directive in format '\(whole)'")
        }
    }

    func result(_ text: String, _ format: String) throws(TemplateError) -> DateTime {
        if at < characters.count {
            throw TemplateError("unconverted data remains: \(String(characters[at...]))")
        }
        var hour = hour
        if let isAfternoon { hour = hour % 12 + (isAfternoon ? 12 : 0) }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), (1...lengths[max(0, min(11, month - 1))]).contains(day), hour < 24, minute < 60,
            second < 62
        else { throw mismatch(format) }
        var days = DateTime.days(year, month, day)
        if let dayOfYear { days = DateTime.days(year, 1, 1) + dayOfYear - 1 }
        if let named = try isoDay(format) { days = named }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
        return DateTime(microseconds: seconds * 1_000_000 + microsecond, offset: offset)
    }

    /// The day that the year, the week and the day of ISO 8601 name; `nil` where they are not asked for.
    private func isoDay(_ format: String) throws(TemplateError) -> Int? {
        // A week of the year counts only with a day of the week: of weeks from Sunday or from Monday on.
        if let weekday, let week = sundayWeek ?? mondayWeek {
            let first = DateTime(microseconds: DateTime.days(year, 1, 1) * 86_400_000_000)
            let shift = sundayWeek == nil ? 0 : 1
            let start = first.day - (first.weekday + shift) % 7
            let before = (first.weekday + shift) % 7 == 0 ? 1 : 0
            return start + (week - before) * 7 + (weekday + shift) % 7
        }
        guard isoYear != nil || isoWeek != nil else { return nil }
        guard let isoYear, let isoWeek, let weekday else {
            throw TemplateError(
                "ISO year directive '%G' must be used with the ISO week directive '%V' and a weekday directive "
                    + "('%A', '%a', '%w', or '%u').")
        }
        let fourth = DateTime(microseconds: DateTime.days(isoYear, 1, 4) * 86_400_000_000)
        guard (1...53).contains(isoWeek), (0...6).contains(weekday) else { throw mismatch(format) }
        return fourth.day - fourth.weekday + (isoWeek - 1) * 7 + weekday
    }
}

/// Python's `timedelta`: what the difference of two dates is.
final class TimeDelta: RuntimeObject {
    let typeName = "timedelta"
    let microseconds: Int
    init(microseconds: Int) { self.microseconds = microseconds }

    private var days: Int { microseconds.floorDivided(by: 86_400_000_000) }
    private var seconds: Int { (microseconds - days * 86_400_000_000) / 1_000_000 }

    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        switch name {
        case "days": return .int(days)
        case "seconds": return .int(seconds)
        case "microseconds": return .int(microseconds - microseconds.floorDivided(by: 1_000_000) * 1_000_000)
        case "total_seconds":
            return .object(
                Function(name) { [self] (_) throws(TemplateError) in .double(Double(self.microseconds) / 1_000_000) })
        default: return nil
        }
    }

    func text(_ evaluator: Evaluator) throws(TemplateError) -> String {
        let clock = "\(seconds / 3600):\(DateTime.padded(seconds / 60 % 60, 2)):\(DateTime.padded(seconds % 60, 2))"
        let fraction = microseconds - microseconds.floorDivided(by: 1_000_000) * 1_000_000
        let prefix = days == 0 ? "" : "\(days) day\(abs(days) == 1 ? "" : "s"), "
        return prefix + clock + (fraction == 0 ? "" : "." + DateTime.padded(fraction, 6))
    }

}

extension Int {
    /// Python's `//`.
    func floorDivided(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor != 0 && (self < 0) != (divisor < 0) ? quotient - 1 : quotient
    }
}
