"""Prints one table. `python -m bench` for all of it, `python -m bench forward` for a part."""

import sys
from importlib import import_module

import app  # noqa: F401  (sets what OpenMP reads, before torch is imported)

PARTS = (
    "forward", "rest", "smollm2", "large", "cost", "streaming", "tiles", "scene", "hover", "attention", "memory",
    "hostile",
)  # fmt: skip


def main() -> None:
    """Measure the parts asked for."""
    chosen = sys.argv[1:] or PARTS
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        sys.exit(f"no part is called {', '.join(unknown)}; parts: {', '.join(PARTS)}")
    for part in chosen:
        print(f"\n{part}")
        for name, value in import_module(f"bench.{part}").rows():
            print(f"  {name:<56} {value}", flush=True)


if __name__ == "__main__":
    main()
