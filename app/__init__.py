"""Transformer Atlas: runs a transformer, and gives every number in it a name and a place on one map."""

import os

from .memory import keep_freed_memory

# The only place that says it: pyproject.toml and the API read it here.
__version__ = "0.1.0"

# Read by OpenMP when torch is first imported: docs/decisions/001-passive-waiting.md.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

keep_freed_memory()
