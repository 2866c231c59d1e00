"""Every setting, from the environment (`ATLAS_*`) or the command line, and every bound on what a stranger may send."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.paths import MODELS


class Settings(BaseSettings):
    """What the server is started with. Sizes are in bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_")

    device: Literal["auto", "cpu", "cuda"] = "auto"
    bundled_models: Path = MODELS
    models: list[Path] = Field(default_factory=list)
    allowed_origins: list[str] = Field(default_factory=list)

    text_bytes: int = 20_000
    slice_elements: int = 4_000_000
    run_store_bytes: int = 2 * 2**30
    runs_held: int = 64
    queue_length: int = 32
    sockets: int = 64
    message_bytes: int = 256 * 1024
    wished_names: int = 20_000
    frames_unacknowledged: int = 64
    frame_bytes: int = 2**20
