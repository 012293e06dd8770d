import Machine
import Patterns
import Values

/// `cron`: a job or a variable of a crontab.
struct CronEntry: Action {
    enum State: String, CaseIterable, Choice { case present, absent }
    enum Special: String, CaseIterable, Choice { case reboot, yearly, annually, monthly, weekly, daily, hourly }

    var name = ""
    var user: String?
    var job: String?
    var cronFile: FilePath?
    var state = State.present
    var backup = false
    var minute = "*"
    var hour = "*"
    var day = "*"
    var month = "*"
    var weekday = "*"
    var special: Special?
    var disabled = false
    var env = false
    var insertAfter: String?
    var insertBefore: String?
    init() {}

    static let schema = Schema<CronEntry>(
        "cron", "Manages the jobs and variables of crontabs.",
        [
            Parameter("name", \.name, required: true, "The job's name, kept in a comment above it; or the variable's."),
            Parameter("user", \.user, "Whose crontab; needed with cron_file."),
            Parameter("job", \.job, aliases: ["value"], "The command to run, or the variable's value."),
            Parameter("cron_file", \.cronFile, "A file in /etc/cron.d, or a whole path, instead of a user's crontab."),
            Parameter("state", \.state, default: "present", "Whether the job or variable is there."),
            Parameter("backup", \.backup, default: "false", "Keep a copy of the crontab before it changes."),
            Parameter("minute", \.minute, default: "*", "Minutes: 0-59, *, */5, …"),
            Parameter("hour", \.hour, default: "*", "Hours: 0-23."),
            Parameter("day", \.day, aliases: ["dom"], default: "*", "Days of the month: 1-31."),
            Parameter("month", \.month, default: "*", "Months: 1-12."),
            Parameter("weekday", \.weekday, aliases: ["dow"], default: "*", "Days of the week: 0-6, 0 is Sunday."),
            Parameter("special_time", \.special, "A word instead of the times."),
            Parameter("disabled", \.disabled, default: "false", "Keep the job as a comment."),
            Parameter("env", \.env, default: "false", "Manage a variable instead of a job."),
            Parameter("insertafter", \.insertAfter, "Put the variable behind this one."),
            Parameter("insertbefore", \.insertBefore, "Put the variable before this one."),
        ],
        options: SchemaOptions(
            mutuallyExclusive: [["insertafter", "insertbefore"]],
            returns: [
                ("jobs", "The names of all jobs."), ("envs", "The names of all variables."),
                ("cron_file", "The file, when one was named."), ("backup_file", "The copy that was kept."),
            ],
            examples: """
                - name: Clean up at night
                  ansible.builtin.cron:
                    name: clean up
                    hour: "3"
                    minute: "15"
                    job: /usr/local/bin/clean-up
                """))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        var warnings: [String] = []
        let file = try cronFile.map { (path) throws(Failure) in
            joinPath("/etc/cron.d", try path.expanded(on: machine, context))
        }
        try check(file, &warnings)
        let old = try text(file, on: machine)
        var table = CronTable(old, isFile: file != nil)
        let before = table.lines
        var isChanged: Bool
        if env {
            isChanged = try changeVariable(&table)
        } else {
            isChanged = changeJob(&table, isFile: file != nil)
            if state == .absent, isChanged, let file, table.isEmpty {
                return try remove(file, old, warnings, on: machine, context)
            }
        }
        // An existing table without a line end at its end gets one.
        if !isChanged, !old.isEmpty, old.last != "\n", old.last != "\r" { isChanged = true }
        var result: Dict = ["jobs": .strings(table.jobs), "envs": .strings(table.variables)]
        if let cronFile { result["cron_file"] = .string(cronFile.text) }
        guard isChanged else { return Outcome(result, warnings: warnings) }
        let header = file ?? user.map { "crontab for user \"\($0)\"" } ?? "crontab"
        let diff = Diff(before: old, after: table.text, beforeHeader: header, afterHeader: header)
        if let editor = try context.editor() {
            if backup { result["backup_file"] = .string(try keep(before, on: editor)) }
            try write(table.text, file, on: editor, context)
        }
        return Outcome(changed: true, result, diff: context.diffMode ? [diff] : [], warnings: warnings)
    }

    private func check(_ file: String?, _ warnings: inout [String]) throws(Failure) {
        if file == "/etc/crontab" {
            throw Failure("Will not manage /etc/crontab via cron_file, see documentation.")
        }
        if let file {
            let name = splitPath(file).name
            if name.isEmpty || !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }) {
                warnings.append(
                    "Filename portion of cron_file (\"\(name)\") should consist solely of upper- and lower-case "
                        + "letters, digits, underscores, and hyphens")
            }
        }
        if special != nil, [minute, hour, day, month, weekday].contains(where: { $0 != "*" }) {
            throw Failure("You cannot combine special_time with any of the time or day/date parameters.")
        }
        if env, name.contains(" ") { throw Failure("Invalid name for environment variable") }
        guard state == .present else { return }
        if file != nil, user == nil {
            throw Failure("To use cron_file=... parameter you must specify user=... as well")
        }
        guard let job else { throw Failure("You must specify 'job' to install a new cron job or variable") }
        if insertAfter != nil || insertBefore != nil, !env {
            throw Failure("Insertafter and insertbefore parameters are valid only with env=yes")
        }
        if !env, line(job).contains(where: \.isNewline) { warnings.append("Job should not contain line breaks") }
    }

    /// Without line ends at either end.
    private func line(_ text: String) -> String {
        let isEnd: (Character) -> Bool = { $0.isNewline }
        return String(text.withoutLineEnds.drop(while: isEnd))
    }

    // MARK: Changes

    private func changeVariable(_ table: inout CronTable) throws(Failure) -> Bool {
        let wanted = "\(name)=\"\(job ?? "")\""
        let now = table.place(ofVariable: name)
        if state == .absent {
            table.lines.removeAll { $0.hasPrefix(name + "=") }
            return now != nil
        }
        if let now {
            if table.lines[now] == wanted { return false }
            for index in table.lines.indices where table.lines[index].hasPrefix(name + "=") {
                table.lines[index] = wanted
            }
            return true
        }
        guard let other = insertAfter ?? insertBefore else {
            table.lines.insert(wanted, at: 0)
            return true
        }
        guard let place = table.place(ofVariable: other) else {
            throw Failure("Variable named '\(other)' not found.")
        }
        table.lines.insert(wanted, at: insertAfter != nil ? place + 1 : place)
        return true
    }

    private func changeJob(_ table: inout CronTable, isFile: Bool) -> Bool {
        if state == .absent {
            guard table.job(named: name) != nil else { return false }
            table.replace(jobNamed: name, by: nil)
            return true
        }
        let times = special.map { "@" + $0.rawValue } ?? "\(minute) \(hour) \(day) \(month) \(weekday)"
        let owner = isFile ? " \(user ?? "")" : ""
        let wanted = "\(disabled ? "#" : "")\(times)\(owner) \(line(job ?? ""))"
        if let now = table.job(named: name) {
            if now == wanted { return false }
            table.replace(jobNamed: name, by: wanted)
            return true
        }
        // A job without a name gets one.
        if !table.adopt(wanted, name) { table.lines += [CronTable.comment(name), wanted] }
        return true
    }

    private func remove(
        _ file: String, _ old: String, _ warnings: [String], on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> Outcome {
        let diff = Diff(before: old, after: "", beforeHeader: file, afterHeader: "/dev/null")
        if let editor = try context.editor() { try attempt { () throws(MachineError) in try editor.remove(file) } }
        return Outcome(
            changed: true, ["cron_file": .optional(cronFile?.text), "state": .string(state.rawValue)],
            diff: context.diffMode ? [diff] : [], warnings: warnings)
    }

    // MARK: The machine

    private func command(_ words: [String], on machine: some MachineReader) throws(Failure) -> [String] {
        guard machine.program("crontab") != nil else {
            throw Failure("Failed to find required executable \"crontab\": the node has no cron")
        }
        let own = try attempt { () throws(MachineError) in try machine.user(id: machine.identity.userID)?.name }
        let whose = user.flatMap { $0 == own ? nil : ["-u", $0] } ?? []
        return ["crontab"] + whose + words
    }

    private func text(_ file: String?, on machine: some MachineReader) throws(Failure) -> String {
        if let file { return try attempt { () throws(MachineError) in try machine.text(of: file) } ?? "" }
        let words = try command(["-l"], on: machine)
        let done = try attempt { () throws(MachineError) in try machine.inspect(Command(words)) }
        // 1 means that there are no jobs.
        guard done.status == 0 || done.status == 1 else {
            throw Failure("Unable to read crontab", result: ["stderr": .string(done.errorText)])
        }
        return CronTable.withoutNotices(done.outputText)
    }

    private func write(
        _ text: String, _ file: String?, on editor: any MachineEditor, _ context: Context
    ) throws(Failure) {
        if let file {
            return try attempt { () throws(MachineError) in
                let mode = try editor.status(of: file, followingLinks: true)?.mode ?? 0o644
                try editor.replace(file, with: Array(text.utf8), attributes: Attributes(mode: mode))
            }
        }
        let words = try command(["-"], on: editor)
        let done = try attempt { () throws(MachineError) in
            try editor.run(Command(words, input: Array(text.utf8), environment: context.environment))
        }
        if done.status != 0 {
            throw Failure(
                "Failed to install new cronfile",
                result: [
                    "rc": .int(Int(done.status)), "stdout": .string(done.outputText),
                    "stderr": .string(done.errorText),
                ])
        }
    }

    private func keep(_ lines: [String], on editor: any MachineEditor) throws(Failure) -> String {
        try attempt { () throws(MachineError) in
            let path = try editor.makeTemporary(folder: false, in: nil, prefix: "crontab", suffix: "")
            var table = CronTable("", isFile: true)
            table.lines = lines
            try editor.overwrite(path, with: Array(table.text.utf8))
            return path
        }
    }
}

/// The lines of a crontab; a comment above a job is its name.
private struct CronTable {
    var lines: [String]

    private static let mark = "#Ansible: "

    init(_ text: String, isFile: Bool) { lines = text.pythonLines }

    static func comment(_ name: String) -> String { mark + name }

    /// What `crontab -l` of some systems puts before the table itself, within its first three lines.
    static func withoutNotices(_ text: String) -> String {
        var lines = text.linesWithEnds
        var kept: [String] = []
        for (index, line) in lines.prefix(3).enumerated() {
            let isNotice =
                line.hasPrefix("# DO NOT EDIT THIS FILE - edit the master and reinstall.")
                || line.hasPrefix("# (/tmp/") && line.contains("installed on")
                || line.hasPrefix("# (") && line.contains("version")
            if !isNotice { kept.append(lines[index]) }
        }
        lines.replaceSubrange(0..<min(3, lines.count), with: kept)
        return lines.joined()
    }

    var isEmpty: Bool { lines.allSatisfy { $0.trimmed.isEmpty } }

    /// With one line end at its end.
    var text: String {
        let all = lines.joined(separator: "\n")
        return all.isEmpty ? "" : all.withoutLineEnds + "\n"
    }

    var jobs: [String] { lines.filter { $0.hasPrefix(Self.mark) }.map { String($0.dropFirst(Self.mark.count)) } }

    var variables: [String] {
        lines.compactMap { line in
            guard let equals = line.firstIndex(of: "="), equals != line.startIndex,
                !line[..<equals].contains(where: \.isWhitespace)
            else { return nil }
            return String(line[..<equals])
        }
    }

    func place(ofVariable name: String) -> Int? { lines.firstIndex { $0.hasPrefix(name + "=") } }

    func job(named name: String) -> String? {
        guard let place = lines.firstIndex(of: Self.comment(name)), place + 1 < lines.count else { return nil }
        return lines[place + 1]
    }

    mutating func replace(jobNamed name: String, by job: String?) {
        while let place = lines.firstIndex(of: Self.comment(name)), place + 1 < lines.count {
            lines.replaceSubrange(place...(place + 1), with: [])
            guard let job else { continue }
            lines.insert(contentsOf: ["\u{0}", job], at: place)
        }
        for index in lines.indices where lines[index] == "\u{0}" { lines[index] = Self.comment(name) }
    }

    /// Whether the job is there without a name; it has one now.
    mutating func adopt(_ job: String, _ name: String) -> Bool {
        guard let place = lines.firstIndex(of: job) else { return false }
        let above = place > 0 ? lines[place - 1] : ""
        if !above.hasPrefix(Self.mark) {
            lines.insert(Self.comment(name), at: place)
            return true
        }
        guard !name.isEmpty, [Self.mark, Self.mark + "None"].contains(above) else { return false }
        lines[place - 1] = Self.comment(name)
        return true
    }
}
