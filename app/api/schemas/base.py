"""What every shape of the wire is made of: questions and answers, how tokens and ids are written, errors."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ...transformer.decoding import SEEDS

Finite = Annotated[float, Field(allow_inf_nan=False)]
Id = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(max_length=200)]
# One token id; the model's vocabulary bounds it further.
TokenId = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS, strict=True)]


class Answer(BaseModel):
    """Something the server says."""


class Question(BaseModel):
    """Something a client says: unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Answer):
    """What is wrong, and what to do."""

    type: str
    message: str
    hint: str


class ErrorBody(Answer):
    """Every answer that is not a success."""

    error: ErrorDetail


class Token(Answer):
    """A token: its id, how it prints, and its byte offsets in the UTF-8 text."""

    id: int
    text: str
    start: int
    end: int
