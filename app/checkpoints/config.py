"""A Hugging Face `config.json`, read with care: every value is checked for its type, and what is wrong is named."""

import json
from pathlib import Path
from typing import Any

from ..transformer.spec import ACTIVATIONS, Activation
from .errors import CheckpointError, shown

# Hugging Face's names that mean one of our activations: its tanh approximations differ in speed only.
_SAME_ACTIVATION: dict[str, Activation] = {
    "gelu_pytorch_tanh": "gelu_new",
    "gelu_fast": "gelu_new",
    "gelu_python": "gelu",
    "swish": "silu",
}
_MISSING = object()


class Config:
    """The values of a configuration, and where it was read."""

    def __init__(self, values: dict[str, Any], path: Path) -> None:
        """Wrap the entries; `path` is named in complaints."""
        self.values, self.path = values, path

    @classmethod
    def of(cls, folder: Path) -> "Config":
        """Read the folder's `config.json`.

        Raises:
            CheckpointError: it is missing or no JSON object.
        """
        path = folder / "config.json"
        if not path.is_file():
            raise CheckpointError(f"{path} does not exist", "Point to a folder with config.json and model.safetensors.")
        return cls(read_json(path), path)

    def wrong(self, what: str, hint: str = "Use the config.json that came with the weights.") -> CheckpointError:
        """Make a complaint about this configuration."""
        return CheckpointError(f"{self.path}: {what}", hint)

    def get(self, name: str) -> Any:
        """Return a value as it stands, or None."""
        return self.values.get(name)

    def size(self, name: str, default: object = _MISSING) -> int:
        """Read a whole number; `default` also stands for null."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(f"{name} is {shown(value)}, not a whole number")
        return value

    def number(self, name: str, default: object = _MISSING) -> float:
        """Read a finite number."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e30:
            raise self.wrong(f"{name} is {shown(value)}, not a number")
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        """Read true or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{name} is {shown(value)}, not true or false")
        return value

    def activation(self, name: str, default: str) -> Activation:
        """Read one of our activations, under any of its names."""
        value = self._value(name, default)
        found = _SAME_ACTIVATION.get(value, value) if isinstance(value, str) else value
        if not isinstance(found, str) or found not in ACTIVATIONS:
            raise self.wrong(f"{name} is {shown(value)}", f"Supported activations are {', '.join(ACTIVATIONS)}.")
        return found

    def demand(self, name: str, wanted: object) -> None:
        """Refuse a variant that is not supported: `name` must be absent, null or `wanted`."""
        value = self.values.get(name)
        if value is not None and value != wanted:
            raise self.wrong(f"{name} is {shown(value)}, which is not supported", f"Supported is {name}: {wanted!r}.")

    def divided(self, whole: str, parts: str) -> int:
        """Divide one size by another, which must go evenly: the width of a head."""
        size, count = self.size(whole), self.size(parts)
        if count < 1 or size % count:
            raise self.wrong(f"{whole} {size} is not a multiple of {parts} {count}")
        return size // count

    def _value(self, name: str, default: object) -> Any:
        value = self.values.get(name)
        if value is None and default is _MISSING:
            raise CheckpointError(f"{self.path} lacks {name!r}", "Use the config.json that came with the weights.")
        return default if value is None else value


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        CheckpointError: it is none.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(values, ensure_ascii=False).encode()  # half a character could be in no answer
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise CheckpointError(f"{path} cannot be read: {why}", "Let the server read it.") from error
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, a number of thousands of digits
        raise CheckpointError(
            f"{path} is not JSON that can be read: {error}", "Fetch or write the file again."
        ) from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} holds no JSON object", "Fetch or write the file again.")
    return values
