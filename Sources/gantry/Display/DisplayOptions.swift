import Values

/// What of a run is shown, and how.
struct DisplayOptions: Sendable {
    enum Format: Sendable {
        case json, yaml
        /// YAML behind a line with `changed` and `skipped`.
        case headedYAML
    }

    var verbosity = 0
    /// Words for the log, where that is more.
    var logVerbosity = 0
    var showsOK = true
    var showsSkipped = true
    var failuresToErrors = false
    var checkMode = false
    var checkMarkers = false
    /// What a developer of Ansible looks at, as far as it is told here.
    var isDebugging = false
    var customStats = false
    var perHostStart = false
    var pathOnFailure = false
    var diffMode = false
    var diffContext = 3
    var format = Format.json
    /// Results over several lines; `nil` leaves it to the format.
    var isPretty: Bool?
    /// What is run, for headers and names of files.
    var playbooks: [String] = []
    /// Where files of tasks are named.
    var inclusions = Inclusions()
    /// How many plays are run.
    var playCount = 0

    init(_ configuration: Configuration, verbosity: Int) {
        self.verbosity = verbosity
        logVerbosity = configuration.number(.logVerbosity) ?? 0
        showsOK = configuration.flag(.displayOK)
        showsSkipped = configuration.flag(.displaySkipped)
        failuresToErrors = configuration.flag(.failedToErrors)
        checkMarkers = configuration.flag(.checkMarkers)
        isDebugging = configuration.flag(.debugging)
        customStats = configuration.flag(.customStats)
        perHostStart = configuration.flag(.perHostStart)
        pathOnFailure = configuration.flag(.pathOnFailure)
        diffContext = configuration.number(.diffContext) ?? 3
        format = configuration.string(.resultFormat) == "yaml" ? .yaml : .json
        if configuration.string(.stdoutCallback).split(separator: ".").last == "yaml" { format = .headedYAML }
        isPretty = configuration.optional(.prettyResults) == nil ? nil : configuration.flag(.prettyResults)
    }
}
