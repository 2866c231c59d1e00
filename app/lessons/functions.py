"""Functions that expressions may call: of numbers, of the text, of the model, of its heads.

    argmax(logits[last])            the token that the model would write next
    word(find("ball"))              the text of the first token that reads "ball"
    head_with("previous")           the head that gives most to the token before
    head_most(last, 0)              the head whose last query gives most to the first key

Each takes the run first and then what stands between the brackets; `FUNCTIONS` is the whole list, and the guide for
authors is made from it.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..lenses.attention import square
from ..lenses.measures import in_text
from ..lenses.parts import attentions
from ..lenses.repetition import REPETITIONS, why_not
from ..runs.run import Run
from ..transformer.tokenizer import Token
from .cells import Head, Part, Path, info_of, shape_of
from .errors import ExpressionError, NotHereError

Value = bool | int | float | str | Tensor | Part | Path | Head | list["Value"]
_LIST = 1000


def vector(value: Value) -> Tensor:
    """Take a value as numbers.

    Raises:
        ExpressionError: it is a text, a head or a name.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, bool | int | float):
        return torch.tensor(float(value), dtype=torch.float64)
    if isinstance(value, list) and len(value) <= _LIST:
        return torch.stack([vector(each) for each in value]) if value else torch.zeros(0, dtype=torch.float64)
    raise ExpressionError(f"{value!r} is no number")


def number(value: Value) -> float:
    """Take a value as one number."""
    found = vector(value)
    if found.numel() != 1:
        raise ExpressionError(f"one number is wanted where there are {found.numel()}", "Name an index for each axis.")
    return float(found)


def whole(value: Value) -> int:
    """Take a value as a whole number."""
    found = number(value)
    if not math.isfinite(found) or found != int(found):
        raise ExpressionError(f"{found} is no whole number")
    return int(found)


def string(value: Value) -> str:
    """Take a value as a text."""
    if not isinstance(value, str):
        raise ExpressionError(f"a text in quotes is wanted, not {value!r}")
    return value


# ---- numbers ----------------------------------------------------------------------------------------------------


def _of_numbers(function: Callable[[Tensor], Tensor]) -> Callable[..., Value]:
    def apply(run: Run, value: Value) -> Value:
        return function(vector(value))

    return apply


def _of_one(function: Callable[[Tensor], Tensor]) -> Callable[..., Value]:
    """Wrap a function that needs at least one number."""

    def apply(run: Run, value: Value) -> Value:
        found = vector(value)
        if not found.numel():
            raise ExpressionError("there are no numbers there")
        return function(found)

    return apply


def _argmax(run: Run, value: Value) -> Value:
    return int(_flat(value).argmax())


def _argmin(run: Run, value: Value) -> Value:
    return int(_flat(value).argmin())


def _flat(value: Value) -> Tensor:
    found = vector(value)
    if found.dim() != 1 or not len(found):
        raise ExpressionError("numbers along one axis are wanted", "Name an index for each other axis.")
    return found


def _top(run: Run, value: Value, count: Value) -> Value:
    found = _flat(value)
    return [int(at) for at in found.topk(min(max(whole(count), 0), len(found), _LIST)).indices]


def _rank(run: Run, value: Value, at: Value) -> Value:
    found, index = _flat(value), whole(at)
    if not 0 <= index < len(found):
        raise ExpressionError(f"there is no entry {index} among {len(found)}")
    return int((found > found[index]).sum()) + 1


def _dot(run: Run, left: Value, right: Value) -> Value:
    return _flat(left) @ _same(left, right)


def _cos(run: Run, left: Value, right: Value) -> Value:
    return torch.nn.functional.cosine_similarity(_flat(left), _same(left, right), dim=0)


def _same(left: Value, right: Value) -> Tensor:
    found = _flat(right)
    if len(found) != len(_flat(left)):
        raise ExpressionError(f"{len(_flat(left))} numbers do not pair with {len(found)}")
    return found


def _table(value: Value) -> Tensor:
    found = vector(value)
    if found.dim() != 2 or not found.numel():
        raise ExpressionError("numbers along two axes are wanted", "Name an index for each other axis.")
    return found


def _product(run: Run, left: Value, right: Value) -> Value:
    one, other = _table(left), _table(right)
    if one.shape[1] != other.shape[0]:
        raise ExpressionError(f"{one.shape[1]} columns do not meet {other.shape[0]} rows")
    return one @ other  # [m, k] x [k, n] -> [m, n]


def _matrix_rank(run: Run, value: Value) -> Value:
    """Count the singular values above what single precision leaves of zero."""
    sizes = torch.linalg.svdvals(_table(value))
    return int((sizes > sizes[0] * 1e-5).sum())


def _mass_below(run: Run, shares: Value, limit: Value) -> Value:
    found = _flat(shares)
    return found[found < number(limit)].sum()


def _cross_entropy(run: Run) -> Value:
    """Take the mean of minus the logarithm that each token of the text got from those before it."""
    rows = run.recorder.rows("logits")
    following = torch.tensor([token.id for token in run.tokens[1 : rows + 1]])
    if not len(following) or not run.loaded.spec.writes:
        raise NotHereError("no token here is foretold by others")
    logits = run.recorder.read("logits", 0, len(following)).double().cpu()  # [pos, d_vocab]
    return torch.nn.functional.cross_entropy(logits, following)


def _softmax(run: Run, value: Value) -> Value:
    return torch.softmax(_flat(value), -1)


def _entropy(run: Run, value: Value) -> Value:
    shares = _flat(value)
    bits: Tensor = torch.special.xlogy(shares, shares).sum() / math.log(2)
    # An empty sum is to be 0 and not -0.
    return 0.0 - bits


def _length(run: Run, value: Value) -> Value:
    return len(value) if isinstance(value, str | list) else len(vector(value)) if vector(value).dim() else 1


# ---- the text ---------------------------------------------------------------------------------------------------


def _at(tokens: Sequence[Token], position: Value, which: str) -> Token:
    at = whole(position)
    if not -len(tokens) <= at < len(tokens):
        raise NotHereError(f"the {which} has {len(tokens)} tokens, so there is no token {at}")
    return tokens[at]


def _word(run: Run, position: Value) -> Value:
    return _at(run.tokens, position, "text").text


def _source_word(run: Run, position: Value) -> Value:
    return _at(run.source, position, "source").text


def _id(run: Run, position: Value) -> Value:
    return _at(run.tokens, position, "text").id


def _find(run: Run, text: Value, *nth: Value) -> Value:
    return _found(run.tokens, string(text), whole(nth[0]) if nth else 0, "text")


def _find_source(run: Run, text: Value, *nth: Value) -> Value:
    return _found(run.source, string(text), whole(nth[0]) if nth else 0, "source")


def _found(tokens: Sequence[Token], text: str, nth: int, which: str) -> int:
    wanted = text.strip().casefold()
    places = [at for at, token in enumerate(tokens) if token.text.strip().casefold() == wanted]
    if not 0 <= nth < len(places):
        raise NotHereError(f"the {which} has no token that reads {text!r}" + (" so often" if places else ""))
    return places[nth]


def _token(run: Run, token: Value) -> Value:
    at = whole(token)
    if not 0 <= at < run.loaded.spec.d_vocab:
        raise ExpressionError(f"there is no token {at} among {run.loaded.spec.d_vocab}")
    return run.loaded.tokenizer.text_of(at)


def _token_of(run: Run, text: Value) -> Value:
    wanted = string(text)
    tokens = run.loaded.tokenizer.encode(wanted)
    inside = [token.id for token in tokens if token.end > token.start]
    if len(inside) != 1:
        raise NotHereError(f"{wanted!r} is {len(inside)} tokens to this model, not one")
    return inside[0]


def _written(run: Run, nth: Value) -> Value:
    return _at([each.token for each in run.generated], nth, "text that was written").text


# ---- the model --------------------------------------------------------------------------------------------------


def _size(run: Run, axis: Value) -> Value:
    sizes = run.loaded.graph.sizes
    if string(axis) not in sizes:
        raise NotHereError(f"{run.loaded.entry.id} has no axis {axis}")
    return sizes[string(axis)]


def _shape(run: Run, tensor: Value) -> Value:
    if not isinstance(tensor, Part):
        raise ExpressionError("a tensor's name is wanted", "Write shape(blocks[0].attn.W_Q).")
    return list[Value](shape_of(run, tensor.name))


def _parameters(run: Run, *prefix: Value) -> Value:
    """Count learned numbers, of the whole model or of the tensors whose names begin so."""
    graph = run.loaded.graph
    if not prefix:
        return graph.parameter_count
    start = prefix[0].name if isinstance(prefix[0], Path | Part) else string(prefix[0])
    inside = [
        tensor
        for tensor in graph.tensors
        if tensor.role == "weight" and tensor.learned and tensor.same_as is None
        if tensor.name == start or tensor.name.startswith(f"{start}.")
    ]
    if not inside:
        raise NotHereError(f"{run.loaded.entry.id} has no weights under {start}")
    return sum(math.prod(graph.shape(tensor)) for tensor in inside)


def _has(run: Run, name: Value) -> Value:
    try:
        info_of(run, string(name))
    except NotHereError:
        return False
    return True


# ---- heads ------------------------------------------------------------------------------------------------------


def _modules(run: Run, part: Sequence[Value]) -> list[str]:
    there = attentions(run.loaded.graph)
    wanted = string(part[0]) if part else "self" if "self" in there else "decoder"
    if wanted not in there:
        raise NotHereError(f"{run.loaded.entry.id} has no {wanted} attention; it has {', '.join(there)}")
    return there[wanted]


def _head_with(run: Run, measure: Value, *part: Value) -> Value:
    return _extreme(run, string(measure), part, largest=True)


def _head_least(run: Run, measure: Value, *part: Value) -> Value:
    return _extreme(run, string(measure), part, largest=False)


def _extreme(run: Run, measure: str, part: Sequence[Value], *, largest: bool) -> Value:
    modules = _modules(run, part)
    if measure in ("induction", "duplicate"):
        reason = why_not(run.loaded.spec)
        if reason is not None:
            raise NotHereError(f"{measure} cannot be measured here: {reason}")
        scores = REPETITIONS.of(run.loaded, 0).measures[measure]  # [layer, head]
    else:
        layers = [in_text(square(run, f"{module}.hook_pattern")) for module in modules]
        if measure not in layers[0]:
            raise ExpressionError(f"there is no measure {measure!r}", f"There are: {', '.join(layers[0])}, induction.")
        scores = torch.stack([layer[measure] for layer in layers])  # [layer, head]
    return _head(modules, scores if largest else -scores)


def _head_most(run: Run, query: Value, key: Value, *part: Value) -> Value:
    modules, at = _modules(run, part), (whole(query), whole(key))
    given = []
    for module in modules:
        pattern = square(run, f"{module}.hook_pattern")
        if any(not -size <= place < size for place, size in zip(at, pattern.shape[1:], strict=True)):
            raise NotHereError(f"there is no query {at[0]} with a key {at[1]} in this text")
        given.append(pattern[:, at[0], at[1]])
    return _head(modules, torch.stack(given))


def _head(modules: Sequence[str], scores: Tensor) -> Head:
    """Take the head of the largest score `[layer, head]`."""
    block, head = divmod(int(scores.argmax()), scores.shape[1])
    return Head(Path(modules[block]), block, head)


# What each does, for the guide; then the function, and how many values it takes.
FUNCTIONS: dict[str, tuple[str, Callable[..., Value], int, int]] = {
    "abs": ("size without sign", _of_numbers(torch.abs), 1, 1),
    "sqrt": ("square root", _of_numbers(torch.sqrt), 1, 1),
    "exp": ("e to the power", _of_numbers(torch.exp), 1, 1),
    "log": ("natural logarithm", _of_numbers(torch.log), 1, 1),
    "round": ("nearest whole number", _of_numbers(torch.round), 1, 1),
    "sum": ("sum of all numbers", _of_numbers(torch.sum), 1, 1),
    "max": ("largest", _of_one(torch.max), 1, 1),
    "min": ("smallest", _of_one(torch.min), 1, 1),
    "mean": ("mean", _of_one(torch.mean), 1, 1),
    "std": ("standard deviation of the population", _of_one(lambda x: x.std(correction=0)), 1, 1),
    "norm": ("length of a vector", _of_one(torch.linalg.vector_norm), 1, 1),
    "argmax": ("index of the largest", _argmax, 1, 1),
    "argmin": ("index of the smallest", _argmin, 1, 1),
    "top": ("indices of the largest, in order: top(x, 3)", _top, 2, 2),
    "rank": ("rank of an index, 1 is the largest: rank(x, i)", _rank, 2, 2),
    "dot": ("dot product", _dot, 2, 2),
    "cos": ("cosine of the angle between two vectors", _cos, 2, 2),
    "product": ("product of two tables", _product, 2, 2),
    "matrix_rank": ("rank of a table", _matrix_rank, 1, 1),
    "mass_below": ("sum of the shares below a limit: mass_below(p, 0.001)", _mass_below, 2, 2),
    "cross_entropy": ("mean loss of the text in nats, each token foretold from those before", _cross_entropy, 0, 0),
    "softmax": ("softmax along the one axis", _softmax, 1, 1),
    "entropy": ("entropy of shares, in bits", _entropy, 1, 1),
    "len": ("how many", _length, 1, 1),
    "word": ("text of the token at a position", _word, 1, 1),
    "source_word": ("text of the source's token at a position", _source_word, 1, 1),
    "id": ("number of the token at a position", _id, 1, 1),
    "find": ('position of the first token that reads so: find("ball"), the second: find("ball", 1)', _find, 1, 2),
    "find_source": ("the same in an encoder-decoder's source", _find_source, 1, 2),
    "token": ("text of a token by its number", _token, 1, 1),
    "token_of": ("number of the token that a text is", _token_of, 1, 1),
    "written": ("text of a token that was written, from 0", _written, 1, 1),
    "size": ('length of an axis: size("d_model")', _size, 1, 1),
    "shape": ("lengths of a tensor's axes", _shape, 1, 1),
    "parameters": ('learned numbers, of all or of a part: parameters("blocks.0.mlp")', _parameters, 0, 1),
    "has": ('whether the model has a tensor: has("blocks.0.mlp.b_in")', _has, 1, 1),
    "head_with": ('head of the largest measure: head_with("previous")', _head_with, 1, 2),
    "head_least": ("head of the smallest measure", _head_least, 1, 2),
    "head_most": ("head that gives most from a query to a key: head_most(last, 0)", _head_most, 2, 3),
}
