#!/bin/sh
cat <<'J'
{"web": {"hosts": ["s2", "s1"], "vars": {"a": "{{ b }}", "n": 1}, "children": ["sub"]},
 "sub": ["s3"], "db": {"hosts": []}, "old": {"x": 1},
 "_meta": {"hostvars": {"s1": {"v": 1, "list": [1]}, "ghost": {"v": 2}}}}
J
