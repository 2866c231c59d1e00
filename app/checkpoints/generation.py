"""`generation_config.json`, or what an old `config.json` says in its place: rules of writing, and what is not obeyed.

As in `transformers`, the one file counts alone where it is there. What a reader chooses (temperature, beams, how much
is written) is none of its business here; what would change a text and is not known is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..transformer.rules import Ids, Rules

# Chosen by the reader, told in another way, or without a bearing on which token comes next.
_NOT_RULES = {
    "_from_model_config", "transformers_version", "do_sample", "temperature", "top_k", "top_p", "num_beams",
    "num_return_sequences", "max_length", "max_new_tokens", "max_time", "bos_token_id", "pad_token_id",
    "decoder_start_token_id", "use_cache", "cache_implementation", "cache_config", "return_legacy_cache", "low_memory",
    "output_attentions", "output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate",
    "compile_config", "disable_compile", "continuous_batching_config", "prefill_chunk_size", "max_cache_len",
    "is_assistant", "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold",
    "assistant_early_exit", "assistant_ensemble_weight", "assistant_lookbehind", "target_lookbehind",
    "prompt_lookup_num_tokens", "max_matching_ngram_size", "speculation_type", "use_mtp",
}  # fmt: skip
# What leaves a text as it is.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "guidance_scale": (1,), "diversity_penalty": (0,), "num_beam_groups": (1,), "penalty_alpha": (0,),
    "token_healing": (False,), "typical_p": (1,), "min_p": (0,), "epsilon_cutoff": (0,), "eta_cutoff": (0,),
}  # fmt: skip
# What a configuration of a model calls the same; all its other entries are the architecture's.
_KNOWN = {
    "eos_token_id", "sequence_bias", "encoder_repetition_penalty", "repetition_penalty", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "min_length", "min_new_tokens", "forced_bos_token_id",
    "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
    "begin_suppress_tokens", "renormalize_logits", "length_penalty", "early_stopping",
}  # fmt: skip
_OTHERS = {
    "force_words_ids", "constraints", "stop_strings", "watermarking_config", "dola_layers", "top_h", *_NEUTRAL
}  # fmt: skip


@dataclass(frozen=True)
class Generation:
    """Rules of writing, and sentences about what the files ask for and is not done."""

    rules: Rules = field(default_factory=Rules)
    not_obeyed: tuple[str, ...] = ()


def read_generation(values: Mapping[str, Any], place: str, d_vocab: int, own_file: bool) -> Generation:
    """Read what the entries ask for; `own_file`: they stand in a file of their own, which holds nothing else."""
    reader = _Reader(values, place, d_vocab)
    rules = Rules(
        ends=reader.ids("eos_token_id"),
        biases=reader.biases("sequence_bias"),
        source_repetition_penalty=reader.number("encoder_repetition_penalty", 1.0),
        repetition_penalty=reader.number("repetition_penalty", 1.0),
        no_repeat=reader.count("no_repeat_ngram_size"),
        source_no_repeat=reader.count("encoder_no_repeat_ngram_size"),
        forbidden=reader.words("bad_words_ids"),
        least=reader.count("min_length"),
        least_new=reader.count("min_new_tokens"),
        forced_first=next(iter(reader.ids("forced_bos_token_id")), None),
        forced_last=reader.ids("forced_eos_token_id"),
        finite_only=reader.flag("remove_invalid_values"),
        ending_sooner=reader.decay("exponential_decay_length_penalty"),
        suppressed=reader.ids("suppress_tokens"),
        suppressed_first=reader.ids("begin_suppress_tokens"),
        renormalised=reader.flag("renormalize_logits"),
        length_penalty=reader.number("length_penalty", 1.0, least=-100.0),
        early_stopping=reader.stopping("early_stopping"),
    )
    unknown = (values.keys() - _KNOWN - _NOT_RULES) if own_file else values.keys() & _OTHERS
    for name in sorted(unknown):
        if values[name] is not None and values[name] not in _NEUTRAL.get(name, ()):
            reader.complain(name, "is not known here")
    return Generation(rules, tuple(reader.complaints))


class _Reader:
    """Values of their types; what is of another, or names tokens that are not there, is noted and left out."""

    def __init__(self, values: Mapping[str, Any], place: str, d_vocab: int) -> None:
        self._values, self._place, self._d_vocab = values, place, d_vocab
        self.complaints: list[str] = []

    def complain(self, name: str, why: str) -> None:
        said = repr(self._values[name])
        said = said if len(said) <= 80 else f"{said[:77]}..."
        self.complaints.append(f"{self._place} says {name}: {said}, which {why}: it is not obeyed")

    def ids(self, name: str) -> Ids:
        """Read token ids, listed or a single one."""
        value = self._values.get(name)
        listed = value if isinstance(value, list) else [] if value is None else [value]
        if not all(_is_count(token) for token in listed):
            self.complain(name, "is no list of token ids")
            return ()
        known = tuple(token for token in dict.fromkeys(listed) if token < self._d_vocab)
        if len(known) < len(set(listed)):
            self.complain(name, f"names tokens beyond the model's {self._d_vocab}")
        return known

    def words(self, name: str) -> tuple[Ids, ...]:
        """Read sequences of token ids."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not (isinstance(value, list) and all(isinstance(word, list) and word for word in value)):
            self.complain(name, "is no list of lists of token ids")
            return ()
        if not all(_is_count(token) and token < self._d_vocab for word in value for token in word):
            self.complain(name, "names tokens that the model does not have")
            return ()
        return tuple(tuple(word) for word in value)

    def biases(self, name: str) -> tuple[tuple[Ids, float], ...]:
        """Read sequences of token ids, each with a number."""
        value = self._values.get(name)
        if value is None:
            return ()
        try:
            found = tuple((tuple(map(int, sequence)), float(bias)) for sequence, bias in value)
        except (TypeError, ValueError):
            found = (((), 0.0),)
        if not all(sequence and all(0 <= token < self._d_vocab for token in sequence) for sequence, _ in found):
            self.complain(name, "is no list of sequences of token ids, each with a number")
            return ()
        return found

    def number(self, name: str, default: float, least: float = 1e-6) -> float:
        """Read a finite number of at least `least`."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 1e6:
            self.complain(name, "is no number that can be")
            return default
        return float(value)

    def count(self, name: str) -> int:
        """Read a whole number from 0."""
        value = self._values.get(name)
        if value is None or _is_count(value):
            return value or 0
        self.complain(name, "is no whole number")
        return 0

    def flag(self, name: str) -> bool:
        """Read true or false."""
        value = self._values.get(name)
        if not isinstance(value, bool | None):
            self.complain(name, "is neither true nor false")
        return value is True

    def decay(self, name: str) -> tuple[int, float] | None:
        """Read a count of tokens, and a factor."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2 and _is_count(value[0]) and isinstance(value[1], int | float):
            return value[0], float(value[1])
        self.complain(name, "is no count with a factor")
        return None

    def stopping(self, name: str) -> Any:
        """Read true, false or `never`."""
        value = self._values.get(name)
        if value in (None, True, False, "never"):
            return value or False
        self.complain(name, "is none of true, false and 'never'")
        return False


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
