"""The families of models that can be read, a module each: its configuration, and its names for our parameters."""

from .atlas import ATLAS
from .bert import BERT, CAMEMBERT, DISTILBERT, ROBERTA, XLM_ROBERTA
from .family import Family
from .gemma import GEMMA
from .gpt2 import GPT2
from .gpt_neox import GPT_NEOX
from .llama import LLAMA
from .marian import MARIAN
from .mistral import MISTRAL
from .phi import PHI
from .qwen import QWEN2, QWEN3
from .t5 import T5

_ALL = (
    GPT2,
    GPT_NEOX,
    LLAMA,
    MISTRAL,
    QWEN2,
    QWEN3,
    GEMMA,
    PHI,
    BERT,
    ROBERTA,
    XLM_ROBERTA,
    CAMEMBERT,
    DISTILBERT,
    MARIAN,
    T5,
    ATLAS,
)
FAMILIES: dict[str, Family] = {family.model_type: family for family in _ALL}

__all__ = ["FAMILIES", "Family"]
