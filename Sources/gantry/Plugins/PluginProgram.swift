/// The program that runs plugins on the controller.
///
/// The first line of its input says where collections are; every further one is a request, answered by one line.
enum PluginProgram {
    static let text = functions + ActionProgram.text + "main()\n"

    private static let functions = #"""
        import base64
        import contextlib
        import importlib
        import importlib.util
        import json
        import os
        import queue
        import shlex
        import sys
        import threading
        import types
        from collections.abc import Mapping, Set

        LOADED = {}
        LOCAL = threading.local()
        TABLES = {'filter': {}, 'test': {}}
        CLASSES = {'filter': ('FilterModule', 'filters'), 'test': ('TestModule', 'tests')}
        problems = []


        def prepare(setup):
            if setup.get('core'):
                sys.path.append(setup['core'])
            try:
                from ansible.plugins.loader import init_plugin_loader
                init_plugin_loader(setup['collections'])
                return
            except Exception:
                pass
            package = types.ModuleType('ansible_collections')
            package.__path__ = [os.path.join(root, 'ansible_collections') for root in setup['collections']]
            sys.modules['ansible_collections'] = package


        def module_of(path):
            marker = os.sep + 'ansible_collections' + os.sep
            if marker in path:
                inner = path[path.index(marker) + 1:-3]
                return importlib.import_module(inner.replace(os.sep, '.'))
            name = 'gantry_plugin_%d' % len(LOADED)
            spec = importlib.util.spec_from_file_location(name, path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            return module


        def load(kind, path):
            if (kind, path) not in LOADED:
                LOADED[kind, path] = {}
                holder, method = CLASSES[kind]
                try:
                    found = getattr(module_of(path), holder, None)
                    LOADED[kind, path] = dict(getattr(found(), method)()) if found else {}
                except Exception as error:
                    problems.append('%s: %s: %s' % (path, type(error).__name__, error))
            return LOADED[kind, path]


        def has(request):
            kind, name = request['kind'], request['name']
            short = name.split('.')[-1] if name.count('.') >= 2 else name
            for folder in request['folders']:
                files = sorted(entry for entry in os.listdir(folder) if entry.endswith('.py'))
                files.sort(key=lambda entry: entry != short + '.py')
                for entry in files:
                    function = load(kind, os.path.join(folder, entry)).get(short)
                    if function is not None:
                        # A plugin may compute what it says about itself, and that may fail.
                        getattr(function, 'accept_args_markers', False)
                        TABLES[kind][name] = function
                        return True
            return False


        def plain(value):
            if isinstance(value, Mapping):
                return dict(value)
            if isinstance(value, (bytes, bytearray)):
                return value.decode('utf-8', 'surrogateescape')
            if isinstance(value, Set):
                return list(value)
            if isinstance(value, str):
                return str(value)
            if hasattr(value, '__iter__'):
                return list(value)
            return str(value)


        class Wants(BaseException):
            """A function asks for a variable that has not been sent along."""


        class Context(Mapping):
            """Jinja2's context, as functions see it: its variables are asked for, one by one."""

            name = None
            blocks = {}
            exported_vars = set()

            environment = property(lambda self: environment())
            eval_ctx = property(lambda self: evaluation())

            def __init__(self, known, absent):
                self.known = known
                self.absent = absent

            def everything(self):
                if '*' not in self.absent:
                    raise Wants('*')
                return self.known

            parent = vars = property(everything)

            def get_all(self):
                return dict(self.everything())

            get_exported = get_all

            def __getitem__(self, key):
                if key in self.known:
                    return self.known[key]
                if key in self.absent or '*' in self.absent:
                    raise KeyError(key)
                raise Wants(key)

            def resolve_or_missing(self, key):
                from jinja2.utils import missing
                return self.get(key, missing)

            def resolve(self, key):
                return self[key] if key in self else self.environment.undefined(name=key)

            def __iter__(self):
                return iter(self.everything())

            def __len__(self):
                return len(self.everything())


        def engine():
            if not hasattr(LOCAL, 'engine'):
                try:
                    from ansible._internal._templating._engine import TemplateEngine
                    LOCAL.engine = TemplateEngine()
                except ImportError:
                    LOCAL.engine = None
            return LOCAL.engine


        def environment():
            if engine() is not None:
                return engine().environment
            if not hasattr(LOCAL, 'environment'):
                from jinja2.nativetypes import NativeEnvironment
                LOCAL.environment = NativeEnvironment()
            return LOCAL.environment


        @contextlib.contextmanager
        def rendering():
            """Functions may render with the environment that they get, which works inside of a template only."""
            if engine() is None:
                yield
                return
            from ansible._internal._templating._engine import TemplateOptions
            from ansible._internal._templating._utils import TemplateContext
            with TemplateContext(template_value='', templar=engine(), options=TemplateOptions.DEFAULT):
                yield


        def evaluation():
            from jinja2.nodes import EvalContext
            return EvalContext(environment())


        def call(request):
            function = TABLES[request['kind']][request['name']]
            arguments, named = request['arguments'], request['named']
            given = named.pop('\0context', None) or {'known': {}, 'absent': []}
            wanted = getattr(getattr(function, 'jinja_pass_arg', None), 'name', None)
            first = {
                'context': lambda: [Context(given['known'], given['absent'])],
                'environment': lambda: [environment()],
                'eval_context': lambda: [evaluation()],
            }.get(wanted, list)()
            try:
                if not first:
                    return function(*arguments, **named)
                with rendering():
                    return function(*first, *arguments, **named)
            except Wants as wants:
                return {'\0wants': str(wants)}


        def answer(request):
            if request['do'] == 'has':
                return has(request)
            if request['do'] == 'step':
                return step(request)
            return call(request)


        def main():
            out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
            # What plugins print is not for this conversation.
            os.dup2(2, 1)
            prepare(json.loads(sys.stdin.readline()))
            for line in sys.stdin:
                del problems[:]
                try:
                    reply = {'value': answer(json.loads(line))}
                    text = json.dumps(dict(reply, problems=problems), default=plain)
                except Exception as error:
                    text = json.dumps({'error': str(error) or type(error).__name__, 'problems': problems})
                out.write(text + '\n')
                out.flush()


        """#
}
