import Playbooks
import Testing

/// What is read of a Python file to know what it imports.
struct PythonImportTests {
    private func imports(_ source: String) -> [PythonImport] { PythonImports.read(Array(source.utf8)) }

    private func statement(
        _ module: String, _ names: [String] = [], level: Int = 0, optional: Bool = false
    ) -> PythonImport {
        PythonImport(
            level: level, module: module.split(separator: ".").map(String.init), names: names, isOptional: optional)
    }

    @Test func statements() {
        let source = """
            import os, ansible.module_utils.basic as basic
            from ansible.module_utils.common.text.converters import (
                to_text,  # a comment with, a comma
                to_native as native,
            )
            from importlib import import_module
            from . import sibling; from ..module_utils.deep import one, \\
                two
            try: import yaml
            except ImportError: pass
            def late():
                from ansible.module_utils.urls import(open_url)
            """
        #expect(
            imports(source) == [
                statement("os"), statement("ansible.module_utils.basic"),
                statement("ansible.module_utils.common.text.converters", ["to_text", "to_native"]),
                statement("importlib", ["import_module"]), statement("", ["sibling"], level: 1),
                statement("module_utils.deep", ["one", "two"], level: 2), statement("yaml", optional: true),
                statement("ansible.module_utils.urls", ["open_url"], optional: true),
            ])
    }

    @Test func stringsAndComments() {
        let source = #"""
            DOCUMENTATION = r'''
            import nothing
            from nowhere import nothing
            '''
            # import nothing
            text = "import nothing \" import" 'it''s'
            """import nothing"""; import real
            """#
        #expect(imports(source) == [statement("real")])
    }
}
