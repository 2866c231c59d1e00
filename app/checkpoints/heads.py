"""Which head a Hugging Face folder's model ends in: a language head, which names tokens, or another one, or none.

Sentence encoders, classifiers and reward models are bodies of the families that are read here. Their attention and
hidden states are the same; they have no logits over the vocabulary. Weights of other heads and of poolers are not
part of the map, and are named as such.
"""

import re
from collections.abc import Set

from ..transformer.spec import Spec

# What language heads are called in the files of all families, our own `atlas` among them, and what others are.
_LANGUAGE = re.compile(
    r"(lm_head|embed_out|cls\.predictions|vocab_transform|vocab_layer_norm|vocab_projector|final_logits_bias"
    r"|W_U|b_U|mlm_head)(\.|$)"
)
_OTHER = re.compile(
    r"(classifier|pre_classifier|classification_head|qa_outputs|score|linear|pooler|cls\.seq_relationship"
    r"|multiple_choice_head|v_head)\..*"
)
_LANGUAGE_CLASS = re.compile(
    r"\w+(LMHeadModel|DoubleHeadsModel|ForCausalLM|ForMaskedLM|ForPreTraining|MTModel|ForConditionalGeneration)"
)


def without_head(spec: Spec, stored: Set[str], class_name: str) -> Spec:
    """Return the spec that the file has tensors for: without a language head, that of the body alone.

    `stored` are the file's tensors, none where they are not there yet. A head that is the embeddings has no tensors of
    its own: then only another head, or a class that has one, says that it is not meant. Where the class does have a
    language head, one that is missing is a fault of the file.
    """
    if not stored or not spec.head or any(map(_LANGUAGE.match, stored)):
        return spec
    if _LANGUAGE_CLASS.fullmatch(class_name):
        return spec
    embeddings_serve = spec.tied and not spec.head_transform and not spec.unembed_bias
    if embeddings_serve and "For" not in class_name and not any(is_other_head(name) for name in stored):
        return spec
    return spec.body()


def is_other_head(name: str) -> bool:
    """Tell whether a tensor belongs to a pooler, or to a head that names no tokens."""
    return _OTHER.fullmatch(name) is not None
