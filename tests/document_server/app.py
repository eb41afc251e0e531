"""The server: buttons that are one statement each, pages with their pictures, and changes as they happen."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator  # noqa: TC003 - FastAPI reads annotations
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import asyncpg  # type: ignore[import-untyped]
import uvicorn
from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_nothing
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm.exc import StaleDataError

from tests.document_server.tables import Document, Own, ScanBatch, ScanJob, ScanPage, shown

PAGE = Path(__file__).with_name("page.html")

POLL = 5.0
"""Seconds after which the rows are looked at even without a notification, since one may get lost."""

router = APIRouter()


def make(url: str, nas: Path) -> FastAPI:
    """The application.

    Args:
        url: of the database, as libpq takes it.
        nas: the NAS root, as this host mounts it.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
        async with engine.begin() as connection:
            await connection.run_sync(Own.metadata.create_all)
        app.state.nas, app.state.changes = nas, Changes(url)
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        work = app.state.changes.listen(), link_documents(app.state.sessions, app.state.changes)
        tasks = [asyncio.create_task(one) for one in work]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await engine.dispose()

    app = FastAPI(lifespan=life)
    app.add_exception_handler(DBAPIError, refused)
    app.add_exception_handler(StaleDataError, refused)
    app.include_router(router)
    return app


def refused(_request: Request, error: Exception) -> JSONResponse:
    """What scand's triggers refuse has a SQLSTATE SD00x, and a sentence for the person."""
    if isinstance(error, StaleDataError):  # `steps` was not what the mapper had read
        return JSONResponse({"error": "The job has changed meanwhile: look again."}, 409)
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None
    if not isinstance(cause, asyncpg.PostgresError) or not str(cause.sqlstate).startswith("SD"):
        raise error
    said = {"error": cause.message, "hint": getattr(cause, "hint", None)}
    return JSONResponse(said, 400 if cause.sqlstate == "SD005" else 409)


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """A session with one transaction for a request."""
    async with request.app.state.sessions() as opened, opened.begin():
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


class Button(BaseModel):
    """A step that a person wants: from the status that was seen, and from what was looked at, if that matters."""

    status: str
    seen: str
    steps: int | None = None


class Edit(BaseModel):
    """What is to be done with some pages, each (batch, page); what is not named stays as it is."""

    pages: list[tuple[int, int]]
    choice: Literal["kept", "dropped"] | None = None
    turn: Literal[0, 90, 180, 270] | None = None
    place: float | None = None


@router.get("/")
async def page() -> HTMLResponse:
    """The page."""
    return HTMLResponse(PAGE.read_text())


@router.get("/jobs")
async def jobs(session: Session) -> list[dict[str, Any]]:
    """The newest jobs."""
    return [
        shown(job) for job in await session.scalars(select(ScanJob).order_by(ScanJob.id.desc()).limit(50))
    ]


@router.post("/jobs", status_code=201)
async def submit(
    title: Annotated[str, Body()], settings: Annotated[dict[str, Any], Body()], session: Session
) -> dict[str, Any]:
    """Please scan this."""
    values = {"title": title, "settings": settings, "status": "queued"}
    return {"id": await session.scalar(insert(ScanJob).values(values).returning(ScanJob.id))}


async def one_job(job_id: int, session: Session) -> ScanJob:
    """The job of a request."""
    if (found := await session.get(ScanJob, job_id)) is None:
        raise HTTPException(404)
    return found


Job = Annotated[ScanJob, Depends(one_job)]


@router.get("/jobs/{job_id}")  # noqa: FAST003 - one_job takes it
async def job(job: Job, session: Session) -> dict[str, Any]:
    """A job with its batches and pages."""
    batches = select(ScanBatch).where(ScanBatch.job_id == job.id).order_by(ScanBatch.batch_seq)
    pages = select(ScanPage).where(ScanPage.job_id == job.id).order_by(ScanPage.batch_seq, ScanPage.page)
    found = shown(job)
    found["batches"] = [shown(batch) for batch in await session.scalars(batches)]
    found["pages"] = [shown(page) for page in await session.scalars(pages)]
    return found


@router.post("/jobs/{job_id}/step")
async def step(job_id: int, button: Button, session: Session) -> dict[str, Any]:
    """A button is one statement, from what the person has seen."""
    stage = func.coalesce(ScanJob.resumes_in, ScanJob.status)  # of a parked job: where it goes on
    wanted = update(ScanJob).where(ScanJob.id == job_id, stage == button.seen)
    if button.steps is not None:
        wanted = wanted.where(ScanJob.steps == button.steps)
    steps = await session.scalar(wanted.values(status=button.status).returning(ScanJob.steps))
    if steps is None:
        raise HTTPException(409, "Somebody was faster: look again.")
    return {"steps": steps}


@router.post("/jobs/{job_id}/title")  # noqa: FAST003
async def rename(job: Job, title: Annotated[str, Body(embed=True)], session: Session) -> dict[str, Any]:
    """By way of the mapper: it writes the title, and nothing where `steps` is not what it has read."""
    job.title = title
    await session.flush()
    return shown(job)


@router.post("/jobs/{job_id}/pages")
async def edit(job_id: int, asked: Edit, session: Session) -> dict[str, Any]:
    """Drop, keep, turn or move pages, however many, in one statement."""
    named = func.row(ScanPage.batch_seq, ScanPage.page).in_([func.row(*name) for name in asked.pages])
    values = asked.model_dump(exclude={"pages"}, exclude_unset=True)
    wanted = update(ScanPage).where(ScanPage.job_id == job_id, named).values(values)
    return {"changed": len((await session.execute(wanted.returning(ScanPage.page))).all())}


@router.post("/jobs/{job_id}/batches/{seq}")
async def answer(
    job_id: int, seq: int, keep: Annotated[bool, Body(embed=True)], session: Session
) -> dict[str, Any]:
    """What becomes of a batch that ended in a fault."""
    status = "scanned" if keep else "discarded"
    named = update(ScanBatch).where(ScanBatch.job_id == job_id, ScanBatch.batch_seq == seq)
    await session.execute(named.values(status=status, answered=True))
    return {"status": status}


@router.get("/jobs/{job_id}/pages/{seq}/{number}.jpg")
async def picture(job_id: int, seq: int, number: int, session: Session) -> Response:
    """A page, small."""
    named = (ScanPage.job_id == job_id, ScanPage.batch_seq == seq, ScanPage.page == number)
    if (found := await session.scalar(select(ScanPage.picture).where(*named))) is None:
        raise HTTPException(404)
    return Response(found, media_type="image/jpeg")


@router.get("/jobs/{job_id}/preview.pdf")  # noqa: FAST003
async def preview(job: Job, request: Request) -> FileResponse:
    """The merge, while it is there to be looked at."""
    if (job.resumes_in or job.status) != "preview" or job.nas_staging_path is None:
        raise HTTPException(404, "There is no preview now.")
    return FileResponse(request.app.state.nas / job.nas_staging_path, media_type="application/pdf")


@router.get("/documents")
async def documents(session: Session) -> list[dict[str, Any]]:
    """What is in the Inbox, as this server knows it."""
    return [
        shown(document) for document in await session.scalars(select(Document).order_by(Document.id.desc()))
    ]


@router.get("/events")
async def events(request: Request) -> StreamingResponse:
    """Which jobs have changed, as server-sent events."""
    changes: Changes = request.app.state.changes
    return StreamingResponse(changes.events(), media_type="text/event-stream")


class Changes:
    """Which jobs have changed: LISTEN, for everybody who waits.

    A notification is a hint, and may get lost with the session. So the session is opened again, and every
    `POLL` seconds everybody looks.

    Args:
        url: of the database. A pooler in transaction mode will not do: LISTEN needs a session of its own.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: set[asyncio.Event] = set()

    async def listen(self) -> None:
        """Wake everybody at each notification, for as long as the server runs."""
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await asyncpg.connect(self._url)
                await connection.add_listener("scan_jobs", lambda *_said: self._wake())
                while not connection.is_closed():
                    self._wake()
                    await asyncio.sleep(POLL)
            await asyncio.sleep(1.0)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    async def each(self) -> AsyncIterator[None]:
        """Once at first, and then whenever something may have changed; several changes at once count as one."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            while True:
                event.clear()
                yield
                await event.wait()
        finally:
            self._waiting.discard(event)

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events."""
        async for _ in self.each():
            yield "data: look\n\n"


async def link_documents(sessions: async_sessionmaker[AsyncSession], changes: Changes) -> None:
    """Each committed job gets a document of this server: a row a file, known by its hash."""
    wanted = select(ScanJob).where(ScanJob.status == "committed", ScanJob.doc_id.is_(None))
    async for _ in changes.each():
        with suppress(DBAPIError, OSError):  # before `scand migrate`, or away: the next hint tries again
            async with sessions() as session, session.begin():
                for job in await session.scalars(
                    wanted.limit(20).with_for_update(skip_locked=True, key_share=True)
                ):
                    made = insert_or_nothing(Document).values(
                        title=job.title, path=job.inbox_path, file_hash=job.file_hash
                    )
                    await session.execute(made.on_conflict_do_nothing(index_elements=["file_hash"]))
                    document = (
                        select(Document.id).where(Document.file_hash == job.file_hash).scalar_subquery()
                    )
                    await session.execute(update(ScanJob).where(ScanJob.id == job.id).values(doc_id=document))


if __name__ == "__main__":
    uvicorn.run(make(sys.argv[1], Path(sys.argv[2])), port=int(sys.argv[3]), log_level="warning")
