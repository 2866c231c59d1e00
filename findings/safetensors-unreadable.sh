#!/usr/bin/env bash
# safetensors' safe_open says of a file that is there and may not be read that there is none: FileNotFoundError with
# "No such file or directory", where Python's open() raises PermissionError. Whoever shows the message, or catches
# FileNotFoundError to fetch the file, sends the reader the wrong way (a hub's cache written by another user).
# Exits 1 if safetensors says something else by now.
set -euo pipefail
place=$(mktemp -d /tmp/finding.XXXXXX)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q safetensors==0.8.0 numpy==2.2.6 2>/dev/null
cat > "$place/show.py" <<'PYTHON'
import os
import sys

import numpy
import safetensors
from safetensors import safe_open
from safetensors.numpy import save_file

path = sys.argv[1]
save_file({"a": numpy.ones(2, dtype=numpy.float32)}, path)
os.chmod(path, 0)
if os.geteuid() == 0:
    os.seteuid(65534)  # root may read everything
print("safetensors", safetensors.__version__)
said = {}
for opens in (open, lambda name: safe_open(name, "np")):
    try:
        opens(path)
        said[len(said)] = "opened"
    except OSError as error:
        said[len(said)] = type(error).__name__
        print(f"{type(error).__name__}: {error}")
sys.exit(said != {0: "PermissionError", 1: "FileNotFoundError"})
PYTHON
"$place/venv/bin/python" "$place/show.py" "$place/model.safetensors"
# Output seen on 29 November 2026 (Linux, Python 3.11):
#   safetensors 0.8.0
#   PermissionError: [Errno 13] Permission denied: '/tmp/finding.XXXXXX/model.safetensors'
#   FileNotFoundError: No such file or directory: /tmp/finding.XXXXXX/model.safetensors
