#!/bin/bash
# Runs the cases of this folder with Ansible itself on a host that may be spoilt, and says where the two differ.
# usage: oracle.sh INVENTORY HOST [CASE-FILE...]     needs: ansible-playbook and python3 with PyYAML on this machine
#
# Every case is set up in /srv/t on the host; its users are made there. Differences on purpose are in COMPATIBILITY.md:
# the diff of a new folder has no attributes, and the diff of a template names the template, not a temporary file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
inventory=$1 host=$2
shift 2
[ $# -gt 0 ] || set -- "$here"/Cases/*.yml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/files" "$work/templates"
python3 "$here/oracle.py" write "$work" "$@"
ANSIBLE_PIPELINING=1 ANSIBLE_STDOUT_CALLBACK=minimal ANSIBLE_DEPRECATION_WARNINGS=0 \
    ansible-playbook -i "$inventory" -l "$host" "$work/play.yml" > "$work/log" || { tail -20 "$work/log"; exit 1; }
python3 "$here/oracle.py" compare "$work"
