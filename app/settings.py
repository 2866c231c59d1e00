"""Every setting, from the environment (`ATLAS_*`) or the command line, and every bound on what a stranger may send."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from .memory import memory_bytes
from .paths import LESSONS, MODELS


def _cache_folder() -> Path:
    """Return where this user's programs keep what they can make again (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "transformer-atlas"


def _data_folder() -> Path:
    """Return where the XDG base directory specification wants a user's data."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "transformer-atlas"


class Settings(BaseSettings):
    """What the server is started with. Lists are JSON in the environment, such as `ATLAS_MODELS='["/m/gpt2"]'`."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    threads: int = Field(default=0, ge=0, description="threads that compute one stage of a run; 0 is one per core")
    bundled_models: Path = MODELS
    models: list[Path] = Field(default_factory=list, description="paths of models: folders, .gguf files, ckpt.pt")
    bundled_lessons: Path = LESSONS
    lessons: list[Path] = Field(default_factory=list, description="folders with a teacher's own lessons")
    data: Path = Field(default_factory=_data_folder, description="the user's own folder, where models are pulled to")
    model_bytes: int = Field(
        default_factory=lambda: memory_bytes() * 3 // 4, gt=0, description="memory of the models loaded"
    )
    cache_folder: Path = Field(default_factory=_cache_folder, description="thumbnails of models are kept here")
    default_model: str = Field(default="stories", description="shown first, and loaded when the server starts")
    allowed_origins: list[str] = Field(
        default_factory=list, description="origins other than the server's own that may open the stream"
    )

    allowed_hosts: list[str] = Field(
        default_factory=list, description="names by which the server may be called, beside its own; * is any"
    )

    connections: int = Field(default=512, gt=0, description="open connections of any kind")
    connections_per_address: int = Field(default=256, gt=0, description="of them from one address but this machine's")
    header_seconds: float = Field(default=10, gt=0, description="a request's header is complete by then")
    body_seconds: float = Field(default=30, gt=0, description="a request's body is complete by then")
    answer_seconds: float = Field(default=60, gt=0, description="a reader who takes nothing in for so long is dropped")
    body_bytes: int = Field(default=1 << 20, gt=0, description="the longest body of a request")
    template_seconds: float = Field(default=5.0, gt=0, description="a chat template is rendered for no longer")
    template_bytes: int = Field(default=2**29, gt=0, description="memory of the process that renders chat templates")
    text_bytes: int = Field(default=20_000, gt=0, description="the longest text of a run, in UTF-8")
    interventions: int = Field(default=64, gt=0, description="changes that one run may make to its tensors")
    slice_elements: int = Field(default=4_000_000, gt=0, description="numbers in one answer")
    json_elements: int = Field(default=1_000_000, gt=0, description="numbers in one answer in JSON")
    attention_bytes: int = Field(default=2**28, gt=0, description="beyond it attention is derived when read")
    tile_cache_bytes: int = Field(default=2**28, gt=0, description="memory of tiles that have been built")
    tile_queue: int = Field(default=256, gt=0, description="requests for tiles that are cut or wait to be")
    run_store_bytes: int = Field(default=2 * 2**30, gt=0, description="memory of the runs remembered")
    runs_held: int = Field(default=1000, gt=0, description="runs remembered, those in flight among them")
    runs_per_socket: int = Field(default=4, gt=0, description="unfinished runs of one connection")
    idle_seconds: float = Field(default=600, gt=0, description="a run paused for longer is ended")
    queue_length: int = Field(default=32, gt=0, description="runs that compute or wait to")
    client_queue: int = Field(default=24, gt=0, description="those of one client, while others find a place beside it")
    sockets: int = Field(default=128, gt=0, description="open connections of the stream")
    client_sockets: int = Field(default=96, gt=0, description="those from one address")
    silent_seconds: float = Field(
        default=10, gt=0, description="a connection that has never said anything gives way after so long"
    )
    message_bytes: int = Field(default=256 * 1024, gt=0, description="the longest message to the stream")
    bad_messages: int = Field(default=10, gt=0, description="messages not understood before a connection is closed")
    refusals: int = Field(default=1000, gt=0, description="messages refused before a connection is closed")
    outbox_messages: int = Field(default=10_000, gt=0, description="messages that wait for a slow reader")
    outbox_bytes: int = Field(default=16 * 2**20, gt=0, description="bytes of them")
    wished_items: int = Field(default=20_000, gt=0, description="names, tiles and cells in one wish")
    wished_patterns: int = Field(default=64, gt=0, description="different names with a * in one wish")
    beat_seconds: float = Field(default=2, gt=0, description="a stream that is silent for so long says a beat")
    window_frames: int = Field(default=64, gt=0, description="frames sent and not yet acknowledged")
    window_bytes: int = Field(default=8 * 2**20, gt=0, description="bytes of them")
    frame_bytes: int = Field(default=2**20, gt=0, description="the payload of one frame")
