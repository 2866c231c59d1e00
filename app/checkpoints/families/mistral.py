"""Mistral (Jiang et al. 2023): Llama with a sliding window."""

from collections.abc import Set

from ...transformer.spec import Spec
from ..config import Config
from .family import Family
from .llama import NAMES, SHARED, llama_fields


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `mistral` configuration; without a `sliding_window` every position is in reach."""
    fields = llama_fields(config)
    window = config.size("sliding_window", 0)
    return Spec(**fields | {"window": window if window < fields["positions"] else 0})


MISTRAL = Family("mistral", spec_of, NAMES, **SHARED)
