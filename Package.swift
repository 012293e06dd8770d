// swift-tools-version: 6.2
import PackageDescription

/// One settings array for all Swift targets: what the compiler can prove, it is asked to prove.
let tested: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // The agent travels to every node: smaller code counts for more than the last percent of speed.
    // A section for each function: the linker then leaves out those that nothing calls.
    .unsafeFlags(["-Osize", "-Xfrontend", "-function-sections"], .when(configuration: .release)),
]

/// What is shipped does without Swift's own search in text: Values has the few that are needed; see StringSearch.swift.
let strict: [SwiftSetting] = tested + [
    .unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])
]

let collections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "gantry",
    products: [
        .executable(name: "gantry", targets: ["gantry"]),
        .executable(name: "gantry-agent", targets: ["gantry-agent"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CLibSSH2", pkgConfig: "libssh2", providers: [.apt(["libssh2-1-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),

        .target(name: "Values", dependencies: [collections], swiftSettings: strict),
        .target(name: "Patterns", dependencies: ["CPCRE2", "Values"], swiftSettings: strict),
        .target(name: "Crypto", dependencies: ["COpenSSL", "Values"], swiftSettings: strict),
        .target(name: "YAML", dependencies: ["CYAML", "Values"], swiftSettings: strict),
        .target(name: "Templates", dependencies: ["Values", "Patterns", "Crypto", "YAML"], swiftSettings: strict),
        .target(name: "Wire", dependencies: ["Values"], swiftSettings: strict),
        .target(name: "CMachine"),
        .target(name: "CProvider"),
        .target(name: "Machine", dependencies: ["Values", "CMachine"], swiftSettings: strict),
        .target(name: "MachineFakes", dependencies: ["Values", "Machine"], swiftSettings: strict),
        .target(name: "HTTP", dependencies: ["Values", "Crypto", "CZlib"], swiftSettings: strict),
        .target(
            name: "Modules", dependencies: ["Values", "Machine", "Wire", "Crypto", "HTTP", "Patterns"],
            swiftSettings: strict),
        .target(
            name: "Hosts", dependencies: ["Values", "YAML", "Crypto", "Patterns", "Templates"], swiftSettings: strict),
        .target(
            name: "Playbooks",
            dependencies: ["Values", "YAML", "Templates", "Modules", "Hosts", "Wire", "Crypto"],
            swiftSettings: strict),
        .target(
            name: "Engine",
            dependencies: ["Values", "Templates", "Modules", "Machine", "Wire", "Crypto", "YAML", "Patterns"],
            swiftSettings: strict),
        .target(name: "SSH", dependencies: ["CLibSSH2", "Values"], swiftSettings: strict),
        .target(
            name: "Controller",
            dependencies: [
                "Values", "YAML", "Templates", "Wire", "Machine", "Modules", "Hosts", "Playbooks", "Engine", "SSH",
                "Crypto",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "gantry",
            dependencies: [
                "Values", "YAML", "Templates", "Wire", "Machine", "Modules", "Hosts", "Playbooks", "Controller",
                "Engine", "SSH", "Crypto", "HTTP", "Patterns", arguments,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "gantry-agent",
            dependencies: [
                "Values", "Engine", "Modules", "Machine", "Wire", "Crypto", "HTTP", "Templates", "CProvider",
            ],
            exclude: ["agent.ld"], swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags(["-static-executable"]),
                .unsafeFlags(
                    [
                        // Similar functions side by side pack better.
                        "-Xlinker", "--no-eh-frame-hdr", "-Xlinker", "--bp-compression-sort=function",
                        "-Xlinker", "-T\(Context.packageDirectory)/Sources/gantry-agent/agent.ld",
                    ], .when(configuration: .release)),
                // Equal functions are kept once, ends of equal strings too; what nothing calls goes.
                .unsafeFlags(
                    ["-use-ld=lld", "-Xlinker", "--icf=all", "-Xlinker", "-O2", "-Xlinker", "--gc-sections"]),
            ]),

        .testTarget(name: "PatternsTests", dependencies: ["Patterns"], swiftSettings: tested),
        .testTarget(
            name: "TemplatesTests", dependencies: ["Templates", "Values"],
            exclude: ["Cases", "oracle", "regenerate.py"],
            swiftSettings: tested),
        .testTarget(name: "ValuesTests", dependencies: ["Values"], swiftSettings: tested),
        .testTarget(name: "MachineTests", dependencies: ["Values", "Machine", "MachineFakes"], swiftSettings: tested),
        .testTarget(
            name: "ModulesTests", dependencies: ["Values", "Machine", "MachineFakes", "Modules", "YAML", "Crypto"],
            exclude: ["Cases", "oracle.py", "oracle.sh"], swiftSettings: tested),
        .testTarget(name: "WireTests", dependencies: ["Wire", "Values"], swiftSettings: strict),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Controller", "Crypto", "Engine", "Machine", "MachineFakes", "Playbooks", "Templates", "Values", "Wire",
                "YAML",
            ],
            exclude: ["Cases"], swiftSettings: strict),
        .testTarget(
            name: "ControllerTests", dependencies: ["Controller", "SSH", "Values", "Wire"], swiftSettings: tested),
        .testTarget(name: "SSHTests", dependencies: ["SSH", "Values"], swiftSettings: tested),
        .testTarget(
            name: "HostsTests", dependencies: ["Hosts", "YAML", "Values"],
            exclude: ["Cases", "Errors", "regenerate.py"], swiftSettings: tested),
        .testTarget(
            name: "YAMLTests", dependencies: ["YAML", "Values"], exclude: ["Cases", "regenerate.py"],
            swiftSettings: tested),
        .testTarget(
            name: "CryptoTests", dependencies: ["Crypto", "Values"], exclude: ["Cases"], swiftSettings: tested),
        .testTarget(name: "TidyTests", dependencies: ["Machine", "Modules", "Values"], swiftSettings: tested),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP", "Crypto", "Values"], swiftSettings: tested),
        .testTarget(name: "CommandTests", exclude: ["Cases"], swiftSettings: tested),
    ]
)
