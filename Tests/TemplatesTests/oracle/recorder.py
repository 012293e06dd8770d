"""A pytest plugin: writes down what Jinja2's own tests render, into the file that RECORD names, a case a line."""
import json
import os

import jinja2
from jinja2 import nativetypes

OUT = open(os.environ["RECORD"], "w", encoding="utf-8")
PLAIN = jinja2.Environment()
OPTIONS = [
    "block_start_string", "block_end_string", "variable_start_string", "variable_end_string",
    "comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix", "trim_blocks",
    "lstrip_blocks", "newline_sequence", "keep_trailing_newline",
]
KNOWN = {"jinja2.ext.do", "jinja2.ext.loopcontrols", "jinja2.ext.ExprStmtExtension", "jinja2.ext.LoopControlExtension"}
now = {"test": ""}
sources = {}


def pytest_runtest_setup(item):
    now["test"] = item.nodeid


def reasons(environment, context):
    """Why a case is about something else than the language as Ansible has it."""
    found = []
    for name, extension in environment.extensions.items():
        if f"{type(extension).__module__}.{type(extension).__name__}" not in KNOWN:
            found.append("an extension that Ansible does not load")
    if environment.is_async:
        found.append("asynchronous rendering")
    if environment.autoescape:
        found.append("autoescaping, which Ansible leaves off")
    if environment.finalize is not None:
        found.append("a finalize function of the environment")
    if type(environment) not in (jinja2.Environment, nativetypes.NativeEnvironment):
        found.append("another class of environment")
    for table in ("filters", "tests"):
        ours, theirs = getattr(environment, table), getattr(PLAIN, table)
        if any(theirs.get(name) is not function for name, function in ours.items()):
            found.append(f"{table} of the test's own")
    extra = {name: value for name, value in environment.globals.items() if name not in PLAIN.globals}
    try:
        json.dumps(dict(extra, **context), allow_nan=False)
        if not all_plain(dict(extra, **context)):
            raise TypeError
    except (TypeError, ValueError):
        found.append("a context of Python objects, which no variable can be")
    return sorted(set(found)), extra


def all_plain(value):
    if isinstance(value, dict):
        return all(type(key) is str and all_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(all_plain(item) for item in value)
    return value is None or type(value) in (str, int, float, bool)


def files(environment):
    loader, result = environment.loader, {}
    if loader is None:
        return result
    try:
        for name in loader.list_templates():
            try:
                result[name] = loader.get_source(environment, name)[0]
            except Exception:  # noqa: BLE001
                continue
    except TypeError:
        pass
    return result


def record(environment, source, context, outcome):
    if not isinstance(source, str):
        return
    why, extra = reasons(environment, context)
    options = {name: getattr(environment, name) for name in OPTIONS}
    row = {"test": now["test"], "kind": "|", "text": source, "outcome": outcome, "reasons": why,
           "native": isinstance(environment, nativetypes.NativeEnvironment), "files": files(environment),
           "options": {name: value for name, value in options.items() if value is not None}}
    if not why:
        row["variables"] = dict(extra, **context)
    OUT.write(json.dumps(row, default=repr) + "\n")
    OUT.flush()


def source_of(template):
    if id(template) in sources:
        return sources[id(template)][1]
    if template.name and template.environment.loader:
        try:
            return template.environment.loader.get_source(template.environment, template.name)[0]
        except Exception:  # noqa: BLE001
            return None
    return None


def wrap_from_string():
    inner = jinja2.Environment.from_string

    def from_string(self, source, *args, **kwargs):
        try:
            template = inner(self, source, *args, **kwargs)
        except jinja2.TemplateError as error:
            record(self, source, {}, {"error": str(error)})
            raise
        sources[id(template)] = (template, source)
        if kwargs.get("globals"):
            sources[id(template)] = (template, None)
        return template

    jinja2.Environment.from_string = from_string


def wrap_render(owner, name):
    inner = getattr(owner, name)

    def render(self, *args, **kwargs):
        source, context = source_of(self), {}
        try:
            context = dict(*args, **kwargs)
        except Exception:  # noqa: BLE001
            source = None
        # What a test changes while it renders is not what it gave.
        try:
            context = json.loads(json.dumps(context)) if all_plain(context) else context
        except ValueError:
            pass
        try:
            result = inner(self, *args, **kwargs)
        except Exception as error:
            record(self.environment, source, context, {"error": f"{type(error).__name__}: {error}"})
            raise
        shown = result if name == "render" else None
        record(self.environment, source, context, {"value": shown} if all_plain(shown) else {"repr": repr(shown)})
        return result

    setattr(owner, name, render)


wrap_from_string()
wrap_render(jinja2.Template, "render")
wrap_render(jinja2.Template, "generate")
wrap_render(nativetypes.NativeTemplate, "render")
