"""The memory that there is: the machine's, or a container's share of it."""

from pathlib import Path

import pytest

from app.memory import _container_limits, memory_bytes


@pytest.mark.parametrize(
    "membership, files, expected",
    [
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "5000\n"}, [5000]),
        ("0::/a/b\n", {"a/b/memory.max": "3000\n", "a/memory.max": "5000\n"}, [3000, 5000]),
        ("0::/of/the/host\n", {"memory.max": "7000\n"}, [7000]),
        ("4:cpu:/x\n3:memory:/x\n0::/\n", {"memory/x/memory.limit_in_bytes": "9000\n"}, [9000]),
        ("2:cpu:/x\n", {"memory.max": "7000\n"}, []),
        ("0::/../..\n", {"memory.max": "broken"}, []),
    ],
)
def test_the_limits_of_control_groups(
    tmp_path: Path, membership: str, files: dict[str, str], expected: list[int]
) -> None:
    (tmp_path / "cgroup").write_text(membership)
    for name, content in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(content)
    assert list(_container_limits(tmp_path / "cgroup", tmp_path / "fs")) == expected


def test_there_is_memory_also_where_nothing_is_said(tmp_path: Path) -> None:
    assert list(_container_limits(tmp_path / "none", tmp_path)) == []
    assert memory_bytes() > 2**28
