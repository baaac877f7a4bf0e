#!/usr/bin/env bash
# Lints the Ansible role and tries it on two boards; Ansible gets an environment of its own.
#
#     tests/nspawn/ansible.sh BUNDLE WHEELS PYTHON      needs root
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bundle=$(realpath "$1") wheels=$(realpath "$2") python=$3
environment=$root/.cache/nspawn/ansible
if [ ! -x "$environment/bin/ansible-lint" ]; then
  "$python" -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet ansible-core==2.19.14 ansible-lint==26.10.1
fi
for tool in ip:iproute2 ssh:openssh-client; do
  PATH="$PATH:/usr/sbin" command -v "${tool%%:*}" >/dev/null ||
    apt-get install -y -qq --no-install-recommends "${tool##*:}" >/dev/null
done
(cd "$root/deploy/ansible" &&
  PATH="$environment/bin:$PATH" ansible-lint --offline -q --profile production)
"$python" "$root/tests/nspawn/fleet.py" "$bundle" "$wheels" --ansible "$environment/bin"
