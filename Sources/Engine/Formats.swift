import Crypto
package import Templates
import Values
import YAML

extension Formats {
    /// What templates read and compute beyond Jinja2 itself: YAML and digests.
    package static var standard: Formats {
        Formats(
            readYAML: { (text: Text) throws(TemplateError) -> [Value] in
                do throws(Diagnostic) { return try YAMLReader.values(text.string, name: "from_yaml") } catch {
                    throw TemplateError("from_yaml: \(error.message)")
                }
            },
            digest: { algorithm, bytes in DigestAlgorithm(rawValue: algorithm)?.digest(of: bytes) })
    }
}
