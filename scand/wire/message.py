"""What all messages have in common: they are immutable, and unknown fields are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A message of the protocol, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
