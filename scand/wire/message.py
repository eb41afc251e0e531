"""What every message is: immutable, and nothing in it that the other side does not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One line of the protocol."""

    model_config = ConfigDict(frozen=True, extra="forbid")
