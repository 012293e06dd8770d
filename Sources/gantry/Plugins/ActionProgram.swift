/// The part of the plugins' program that runs action and lookup plugins: each in a thread of its own, which asks the
/// engine for what ansible-core's connection, templates and modules would be.
///
/// One step is a request that starts a plugin or answers what it asked; its reply is what the plugin asks next, or
/// its result. Templates travel as `{"__template": text}`, so that a text does not become one on the way.
enum ActionProgram {
    static let text = #"""
        RUNNING = {}


        def trust():
            try:
                from ansible.template import trust_as_template, is_trusted_as_template
                return trust_as_template, is_trusted_as_template
            except ImportError:
                return str, lambda text: '{{' in text or '{%' in text


        def unpacked(value, mark):
            if isinstance(value, dict):
                if len(value) == 1 and '__template' in value:
                    return mark(value['__template'])
                if len(value) == 1 and '__undefined' in value:
                    return absent(value['__undefined'])
                return {key: unpacked(item, mark) for key, item in value.items()}
            if isinstance(value, list):
                return [unpacked(item, mark) for item in value]
            return value


        def absent(text):
            """What stands for a value that is not there; it knows the text by which the engine knows it."""
            try:
                from ansible._internal._templating._jinja_common import UndefinedMarker
                return UndefinedMarker(text.split('\0', 3)[3], name=text, _no_template_source=True)
            except ImportError:
                return Absent(text)


        class Absent:
            """The same without ansible-core."""

            def __init__(self, text):
                self._undefined_name = text

            def _as_message(self):
                return self._undefined_name.split('\0', 3)[3]

            def _as_exception(self):
                return ValueError(self._as_message())


        def is_absent(value):
            return hasattr(type(value), '_as_exception')


        def packed(value, trusted):
            if is_absent(value):
                name = value._undefined_name
                known = isinstance(name, str) and name.startswith('\0')
                return {'__undefined': name if known else '\0undefined\0-\0' + value._as_message()}
            if isinstance(value, str):
                return {'__template': str(value)} if trusted(value) else str(value)
            if value is None or isinstance(value, (bool, int, float)):
                return value
            if isinstance(value, Mapping):
                if len(value) == 1 and '__template' in value:
                    return {'__template': str(value['__template'])}
                return {str(key): packed(item, trusted) for key, item in value.items()}
            value = plain(value)
            if isinstance(value, (list, tuple)):
                return [packed(item, trusted) for item in value]
            return packed(value, trusted) if isinstance(value, (str, dict)) else value


        def asked_error():
            try:
                from ansible.errors import AnsibleError
                return AnsibleError
            except ImportError:
                return RuntimeError


        class Talk(threading.Thread):
            def __init__(self, begin):
                super().__init__(daemon=True)
                self.begin = begin
                self.requests = queue.Queue()
                self.answers = queue.Queue()
                self.warnings = []

            def run(self):
                LOCAL.talk = self
                try:
                    if self.begin['kind'] == 'action':
                        reply = {'result': run_action(self)}
                    elif self.begin['kind'] == 'lookup':
                        reply = run_lookup(self)
                    else:
                        result = run_function(self)
                        reply = {'absent' if is_absent(result) else 'result': result}
                except Exception as error:
                    reply = failure(error)
                reply['warnings'] = self.warnings
                self.requests.put(reply)

            def ask(self, what, **more):
                self.requests.put(dict(more, ask=what))
                answer = self.answers.get()
                if 'error' in answer:
                    raise asked_error()(answer['error'])
                return answer.get('value')


        def failure(error):
            source = getattr(error, 'source', None)
            if is_absent(source):
                return {'absent': source}
            try:
                from ansible.errors import AnsibleAction, AnsibleActionSkip
                if isinstance(error, AnsibleAction):
                    result = dict(getattr(error, 'result', None) or {})
                    result.setdefault('msg', error.message if hasattr(error, 'message') else str(error))
                    if isinstance(error, AnsibleActionSkip):
                        result['skipped'] = True
                    else:
                        result['failed'] = True
                    return {'result': result, 'raised': True}
            except ImportError:
                pass
            return {'error': str(error) or type(error).__name__}


        def step(request):
            mark, trusted = trust()
            name = request['id']
            if 'begin' in request:
                if name in RUNNING:
                    raise ValueError('this plugin is running')
                if request['begin']['kind'] in ('action', 'lookup'):
                    patch()
                RUNNING[name] = Talk(unpacked(request['begin'], mark))
                RUNNING[name].start()
            elif request.get('end'):
                RUNNING.pop(name, None)
                return {}
            else:
                RUNNING[name].answers.put(unpacked(request['answer'], mark))
            reply = RUNNING[name].requests.get()
            if 'ask' not in reply:
                del RUNNING[name]
            return packed(reply, trusted)


        class Others(Mapping):
            """`hostvars`: asked host by host."""

            def __init__(self, talk):
                self.talk = talk

            def template(self, text):
                return self.talk.ask('template', value={'__template': text}, variables={})

            def names(self):
                return self.template('{{ hostvars.keys() | list }}')

            def __getitem__(self, host):
                if host not in self.names():
                    raise KeyError(host)
                return Other(self.talk, 'hostvars[%r]' % str(host))

            def __iter__(self):
                return iter(self.names())

            def __len__(self):
                return len(self.names())


        class Other(Others):
            """The variables of one host: asked one by one."""

            def __init__(self, talk, path):
                super().__init__(talk)
                self.path = path

            def names(self):
                return self.template('{{ %s.keys() | list }}' % self.path)

            def __getitem__(self, name):
                value = asked(self.talk, '%s[%r]' % (self.path, str(name)))
                if is_absent(value):
                    raise KeyError(name)
                return value


        class Templar:
            def __init__(self, talk, variables, loader=None, behavior=None):
                self.talk = talk
                self.behavior = behavior
                self.known = variables
                self.variables = variables
                self._loader = loader
                self.basedir = talk.begin.get('folder')

            available_variables = property(
                lambda self: self.variables, lambda self, value: setattr(self, 'variables', value))
            _available_variables = available_variables
            _engine = property(lambda self: self)
            environment = property(lambda self: environment())

            def more(self, also=None):
                known = self.known
                changed = {k: v for k, v in self.variables.items() if k not in known or known[k] is not v}
                changed.update(also or {})
                changed.pop('hostvars', None)
                return changed

            def rendered(self, value, variables):
                if self.behavior is None:
                    return self.talk.ask('template', value=value, variables=variables)
                value = self.talk.ask('template', value=value, variables=variables, absent=True)
                return self.behavior.handle_marker(value) if is_absent(value) else value

            def template(self, variable, *ignored, **options):
                mark, trusted = trust()
                if isinstance(variable, str) and not trusted(variable):
                    return variable
                return self.rendered(variable, self.more())

            do_template = template

            def evaluate_expression(self, expression, local_variables=None, **ignored):
                text = {'__template': '{{ ' + str(expression) + ' }}'}
                return self.rendered(text, self.more(local_variables))

            def evaluate_conditional(self, conditional, *ignored, **options):
                text = {'__template': '{{ (' + str(conditional) + ') | bool }}'}
                return self.rendered(text, self.more())

            def is_template(self, data):
                return isinstance(data, str) and ('{{' in data or '{%' in data or '{#' in data)

            is_possibly_template = is_template

            def extend(self, *ignored, marker_behavior=None, **options):
                copy = Templar(self.talk, self.known, self._loader, marker_behavior or self.behavior)
                copy.variables = self.variables
                return copy

            def copy_with_new_env(self, *ignored, available_variables=None, **options):
                copy = Templar(self.talk, self.known, self._loader, self.behavior)
                copy.variables = self.variables if available_variables is None else available_variables
                return copy

            @contextlib.contextmanager
            def set_temporary_context(self, available_variables=None, **options):
                before = self.variables
                if available_variables is not None:
                    self.variables = available_variables
                try:
                    yield
                finally:
                    self.variables = before


        class Connection:
            """The way to the host: what runs there and goes there is asked of the engine."""

            has_pipelining = True
            always_pipeline_modules = False
            allow_executable = True
            allow_extras = True
            socket_path = None
            become = None
            connected = True
            force_persistence = False
            module_implementation_preferences = ('.py', '')
            default_user = None

            def __init__(self, talk, context):
                from ansible.plugins.loader import shell_loader
                self.talk = talk
                self._play_context = context
                self._shell = shell_loader.get('sh')
                self.transport = self._load_name = self.ansible_name = talk.begin['task']['connection']
                self._remote_is_local = self.transport == 'local'

            def get_option(self, name, hostvars=None):
                variables = self.talk.begin['variables']
                for key in ('ansible_' + name, 'ansible_%s_%s' % (self.transport, name)):
                    if key in variables:
                        return variables[key]
                return None

            def set_options(self, *ignored, **options):
                pass

            def _connect(self):
                return self

            def reset(self):
                pass

            close = reset

            def exec_command(self, cmd, in_data=None, sudoable=True):
                reply = self.run(cmd, in_data)
                return reply['rc'], reply['stdout'].encode(), reply['stderr'].encode()

            def run(self, command, data=None, executable=None):
                if isinstance(data, bytes):
                    data = data.decode('utf-8', 'surrogateescape')
                if isinstance(command, bytes):
                    command = command.decode('utf-8', 'surrogateescape')
                return self.talk.ask('command', command=command, input=data, executable=executable)

            def put_file(self, in_path, out_path):
                from ansible.errors import AnsibleError
                with open(in_path, 'rb') as file:
                    data = base64.b64encode(file.read()).decode()
                reply = self.run('base64 -d > ' + shlex.quote(os.fsdecode(out_path)), data)
                if reply['rc'] != 0:
                    raise AnsibleError('failed to transfer file to %s: %s' % (out_path, reply['stderr']))

            def fetch_file(self, in_path, out_path):
                from ansible.errors import AnsibleError
                reply = self.run('base64 < ' + shlex.quote(os.fsdecode(in_path)))
                if reply['rc'] != 0:
                    raise AnsibleError('failed to fetch %s: %s' % (in_path, reply['stderr']))
                with open(out_path, 'wb') as file:
                    file.write(base64.b64decode(reply['stdout']))


        def execute_module(
                self, module_name=None, module_args=None, tmp=None, task_vars=None, persist_files=False,
                delete_remote_tmp=None, wrap_async=False, ignore_unknown_opts=False):
            arguments = self._task.args if module_args is None else module_args
            return LOCAL.talk.ask(
                'module', name=str(module_name or self._task.action), arguments=dict(arguments),
                lenient=bool(ignore_unknown_opts))


        def low_level(
                self, cmd, sudoable=True, in_data=None, executable=None, encoding_errors=None, chdir=None):
            if chdir:
                cmd = 'cd %s && %s' % (shlex.quote(chdir), cmd)
            reply = self._connection.run(cmd, in_data, executable)
            return dict(reply, stdout_lines=reply['stdout'].splitlines(), stderr_lines=reply['stderr'].splitlines())


        def transfer(self, local_path, remote_path):
            self._connection.put_file(local_path, remote_path)
            return remote_path


        def becomes_another(self):
            context = self._play_context
            return bool(context.become) and context.become_user not in (None, '', 'root')


        def warn(self, msg, *ignored, **options):
            talk = getattr(LOCAL, 'talk', None)
            if talk is not None and str(msg) not in talk.warnings:
                talk.warnings.append(str(msg))


        def patch():
            from ansible.plugins.action import ActionBase
            from ansible.utils.display import Display
            ActionBase._execute_module = execute_module
            ActionBase._low_level_execute_command = low_level
            ActionBase._transfer_file = transfer
            ActionBase._is_become_unprivileged = becomes_another
            ActionBase._fixup_perms2 = lambda self, paths, *ignored, **options: paths
            ActionBase._is_pipelining_enabled = lambda self, *ignored, **options: True
            Display.warning = warn
            Display.deprecated = lambda self, *ignored, **options: None


        def plugin_class(loader, begin):
            marker = '/ansible_collections/'
            if marker in begin['path']:
                parts = begin['path'].split(marker, 1)[1][:-3].split('/')
                return '.'.join(parts[:2] + parts[4:])
            loader.add_directory(os.path.dirname(begin['path']))
            return os.path.basename(begin['path'])[:-3]


        def data_loader(begin):
            from ansible.parsing.dataloader import DataLoader
            loader = DataLoader()
            loader.set_basedir(begin['folder'])
            return loader


        def give_play(task):
            """Plugins look for the action groups of the play that a task is in."""
            try:
                from ansible.playbook.block import Block
                from ansible.playbook.play import Play
                task._parent = Block(play=Play())
            except ImportError:
                pass


        def run_action(talk):
            from ansible.errors import AnsibleError
            from ansible.playbook.play_context import PlayContext
            from ansible.playbook.task import Task
            from ansible.plugins import loader as loaders
            begin = talk.begin
            variables = dict(begin['variables'], hostvars=Others(talk))
            variables.setdefault('vars', dict(variables))
            task = Task()
            give_play(task)
            for name, value in begin['task'].items():
                setattr(task, name, value)
            task.args = begin['arguments']
            context = PlayContext()
            for name in ('check_mode', 'diff', 'no_log', 'verbosity', 'connection', 'remote_addr', 'become',
                         'become_user', 'become_method'):
                if begin['task'].get(name) is not None:
                    setattr(context, name, begin['task'][name])
            loader = data_loader(begin)
            plugin = loaders.action_loader.get(
                plugin_class(loaders.action_loader, begin), task=task, connection=Connection(talk, context),
                play_context=context, loader=loader, templar=Templar(talk, variables, loader),
                shared_loader_obj=loaders, collection_list=begin.get('collections'))
            if plugin is None:
                raise AnsibleError("'%s' holds no action plugin" % begin['path'])
            if '_raw_params' in task.args and not getattr(plugin, 'supports_raw_params', False):
                raise AnsibleError("Action '%s' does not support raw params." % begin['name'])
            plugin._display.verbosity = begin['task'].get('verbosity') or 0
            try:
                return plugin.run(task_vars=variables)
            finally:
                plugin.cleanup()


        def asked(talk, expression, variables=None):
            text = {'__template': '{{ ' + expression + ' }}'}
            return talk.ask('template', value=text, variables=variables or {}, absent=True)


        def asking(talk):
            """Jinja2's environment, which asks the engine for filters and tests."""
            from jinja2 import Environment

            def call(form, name, value, args, kwargs):
                given = {'gantry_%d' % number: item for number, item in enumerate([value] + list(args or []))}
                given.update(('gantry_' + key, item) for key, item in (kwargs or {}).items())
                words = ['gantry_%d' % number for number in range(1, len(args or []) + 1)]
                words += ['%s=gantry_%s' % (key, key) for key in kwargs or {}]
                return asked(talk, 'gantry_0 %s %s(%s)' % (form, name, ', '.join(words)), given)

            class Asking(Environment):
                def call_filter(self, name, value, args=None, kwargs=None, context=None, eval_ctx=None):
                    return call('|', name, value, args, kwargs)

                def call_test(self, name, value, args=None, kwargs=None, context=None, eval_ctx=None):
                    return call('is', name, value, args, kwargs)

            return Asking()


        class Context(Mapping):
            """Jinja2's context, as functions see it: its variables are asked of the engine, one by one."""

            name = None
            blocks = {}
            exported_vars = set()

            environment = property(lambda self: asking(self.talk))
            eval_ctx = property(lambda self: evaluation())
            parent = vars = property(lambda self: dict(self))

            def __init__(self, talk):
                self.talk = talk
                self.known = {}

            def get_all(self):
                return dict(self)

            get_exported = get_all

            def __getitem__(self, key):
                if key == 'hostvars':
                    return Others(self.talk)
                if key not in self.known:
                    if not key.isidentifier():
                        raise KeyError(key)
                    self.known[key] = self.find(key)
                value = self.known[key]
                # Where another name than this one is missing, the variable is there, and its value is not.
                if is_absent(value) and value._as_message() == "'%s' is undefined" % key:
                    raise KeyError(key)
                return value

            def find(self, key):
                try:
                    return asked(self.talk, key)
                except Exception:
                    # Functions of templates are no variables.
                    if asked(self.talk, key + ' is callable'):
                        raise KeyError(key)
                    raise

            def resolve_or_missing(self, key):
                from jinja2.utils import missing
                return self.get(key, missing)

            def resolve(self, key):
                return self[key] if key in self else self.environment.undefined(name=key)

            def __iter__(self):
                return iter(asked(self.talk, 'vars.keys() | list'))

            def __len__(self):
                return len(list(iter(self)))


        def run_function(talk):
            begin = talk.begin
            function = TABLES[begin['kind']][begin['name']]
            with rendering():
                return function(Context(talk), *begin['arguments'], **begin['named'])


        def run_lookup(talk):
            from ansible.errors import AnsibleError
            from ansible.plugins.loader import lookup_loader
            begin = talk.begin
            variables = dict(begin['variables'], hostvars=Others(talk))
            variables.setdefault('vars', dict(variables))
            for folder in begin['folders']:
                if '/ansible_collections/' not in folder:
                    lookup_loader.add_directory(folder)
            loader = data_loader(begin)
            try:
                plugin = lookup_loader.get(begin['name'], loader=loader, templar=Templar(talk, variables, loader))
            except Exception as error:
                raise AnsibleError("The lookup plugin '%s' failed to load: %s" % (begin['name'], error))
            if plugin is None:
                raise AnsibleError("The lookup plugin '%s' was not found." % begin['name'])
            given = list(begin['terms']) + list(begin['options'].values())
            absent = [value for value in given if is_absent(value)]
            if absent and not getattr(plugin, 'accept_args_markers', False):
                return {'absent': absent[0]}
            with rendering():
                result = plugin.run(begin['terms'], variables=variables, **begin['options'])
            return {'result': list(result) if result is not None else []}


        """#
}
