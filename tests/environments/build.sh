#!/usr/bin/env bash
# Makes the environments of strangers that check what embft saves and serves: build.sh DIR [NAME...]; make environments DIR=...
# Each NAME.txt beside this file is one, with Python 3.11. torch is installed once and shared.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
  echo "The versions in tests/environments are those of Python 3.11: give one, PYTHON=/path/to/python3.11" >&2
  exit 2
}
install() { "$@" -q --disable-pip-version-check --no-compile 2> >(grep -v 'WARNING: Location' >&2); }
if [ ! -f "$folder/torch/.made" ]; then
  # shellcheck disable=SC2086
  install "$python" -m pip install --target "$folder/torch" -r "$here/torch.txt" ${PIP_FLAGS:-}
  touch "$folder/torch/.made"
fi
[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*.txt | sed -e 's|^\./||' -e 's|\.txt$||' | grep -v '^torch$')
for name in "$@"; do
  place=$folder/$name
  [ -f "$place/.made" ] && cmp -s "$place/.made" "$here/$name.txt" && continue
  echo "environments: $name"
  rm -rf "$place"
  "$python" -m venv "$place"
  echo "$folder/torch" > "$place/lib/python3.11/site-packages/z.pth"
  install "$place/bin/python" -m pip install -r "$here/$name.txt"
  cp "$here/$name.txt" "$place/.made"
done
