/// The program that a node's Python runs first.
///
/// Standard input has one line of JSON (the module's name, and lengths), then the files that the tree lacks, then the
/// arguments: so nothing secret is in a file or in a list of processes.
enum PythonBootstrap {
    static let name = "gantry_run.py"
    /// Ends with this status when a file could not be written: then the tree is not complete.
    static let cannotWrite: Int32 = 120

    static let text = #"""
        import json
        import os
        import runpy
        import sys


        def take(count):
            data = sys.stdin.buffer.read(count)
            if len(data) != count:
                sys.exit('the input ends too early')
            return data


        def main():
            root = os.path.dirname(os.path.abspath(__file__))
            try:
                os.getcwd()
            except OSError:
                os.chdir('/')
            header = json.loads(sys.stdin.buffer.readline().decode('utf-8'))
            mask = os.umask(0o077)
            try:
                for path, count in header['files']:
                    target = os.path.join(root, path)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    with open(target, 'wb') as out:
                        out.write(take(count))
            except OSError as error:
                sys.stderr.write('cannot write the files of a module: %s\n' % error)
                sys.exit(120)
            arguments = take(header['arguments'])
            # Compiled files stay readable for this user only; what the module makes gets its own mask.
            os.umask(mask)
            sys.path = [root] + [place for place in sys.path if place not in ('', '.', root)]
            sys.argv = [header['module']]
            known = {'_module_fqn': header['module'], '_modlib_path': root}
            try:
                from ansible.module_utils._internal._ansiballz import _loader
            except ImportError:
                from ansible.module_utils import basic
                basic._ANSIBLE_ARGS = arguments
                runpy.run_module(header['module'], init_globals=known, run_name='__main__', alter_sys=True)
                return
            _loader.run_module(
                json_params=arguments, profile='legacy', module_fqn=header['module'], modlib_path=root,
                extensions={}, init_globals=known)


        main()

        """#
}
