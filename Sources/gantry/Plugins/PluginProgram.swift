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
                        return {'found': True, 'variables': passed(function) == 'context'}
            return {'found': False}


        def passed(function):
            """What Jinja2 passes before the value: 'context', 'eval_context', 'environment' or nothing."""
            return getattr(getattr(function, 'jinja_pass_arg', None), 'name', None)


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
            if not passed(function):
                return function(*request['arguments'], **request['named'])
            with rendering():
                first = environment() if passed(function) == 'environment' else evaluation()
                return function(first, *request['arguments'], **request['named'])


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
