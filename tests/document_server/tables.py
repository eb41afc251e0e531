"""The server's own table, and scand's as SQLAlchemy maps them."""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - SQLAlchemy reads the annotations
from typing import Any

from sqlalchemy import BigInteger, FetchedValue, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, deferred, mapped_column


class Own(DeclarativeBase):
    """Tables that this server makes and changes."""


class Document(Own):
    """A document of this server, known by the hash of its file."""

    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    file_hash: Mapped[str] = mapped_column(Text, unique=True)


class Scand(DeclarativeBase):
    """Tables that `scand migrate` makes and changes: `metadata.create_all` must never see them."""


def _result() -> Mapped[Any]:
    """A column that the agent or a trigger writes: read after each write, and never written back."""
    return mapped_column(server_default=FetchedValue(), server_onupdate=FetchedValue())


class ScanJob(Scand):
    """A scan job. What a client writes comes first; everything else is a result."""

    __tablename__ = "scan_jobs"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(Text)
    steps: Mapped[int] = _result()
    resumes_in: Mapped[str | None] = _result()
    page_count: Mapped[int | None] = _result()
    pages_scanned: Mapped[int | None] = _result()
    nas_staging_path: Mapped[str | None] = _result()
    inbox_path: Mapped[str | None] = _result()
    file_hash: Mapped[str | None] = _result()
    doc_id: Mapped[int | None] = _result()
    error: Mapped[str | None] = _result()

    # `steps` is the version: a change of a row that has changed meanwhile is refused, and never overwrites.
    __mapper_args__ = {"version_id_col": steps, "version_id_generator": False, "eager_defaults": True}  # noqa: RUF012


class ScanBatch(Scand):
    """One stack that went through the scanner."""

    __tablename__ = "scan_job_batches"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    job_id: Mapped[int] = mapped_column(BigInteger)
    batch_seq: Mapped[int]
    status: Mapped[str] = mapped_column(Text)
    answered: Mapped[bool]
    error: Mapped[str | None] = _result()


class ScanPage(Scand):
    """One captured side."""

    __tablename__ = "scan_job_pages"

    job_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    batch_seq: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    choice: Mapped[str | None] = mapped_column(Text)
    turn: Mapped[int]
    place: Mapped[Decimal | None]
    blank: Mapped[bool] = _result()
    picture: Mapped[bytes | None] = deferred(mapped_column(LargeBinary, server_default=FetchedValue()))


def shown(row: DeclarativeBase) -> dict[str, Any]:
    """A row as the page gets it."""
    names = set(row.__mapper__.column_attrs.keys()) - {"picture", "nas_staging_path"}
    return {name: getattr(row, name) for name in names}
