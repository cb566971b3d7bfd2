"""The addresses of jobs: ask for a match, watch it, cancel it, go on from it, forget it."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Header, HTTPException, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse

from menura.errors import MenuraError, NoteError
from menura.note import parse_pitch
from menura.web.asking import Asked, info_of, jobs_of, problems, settings_of, store_of
from menura.web.jobs import BusyError, Job
from menura.web.journal import as_stream
from menura.web.schemas import Again, JobInfo, JobList
from menura.web.sniffing import looks_like_sound, shown_name, shown_text
from menura.web.store import SOUND, TARGET
from menura.web.synths import is_known, knows_track, tracks

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
_PIECE = 1 << 18


@router.get("", responses=problems())
async def list_jobs(request: Request) -> JobList:
    """All matches that are kept, the newest first."""
    return JobList(jobs=[info_of(job) for job in jobs_of(request).newest_first()])


@router.post("", status_code=201, responses=problems(415, 503))
async def match_sound(
    request: Request,
    sound: Annotated[UploadFile | None, File(description="WAV, FLAC, OGG, MP3 or AIFF: one note, or one hit.")] = None,
    text: Annotated[
        str, Form(max_length=200, description="With a sound how it is to change, without one what it is to be.")
    ] = "",
    synth: Annotated[str, Form(max_length=200)] = "vital",
    track: Annotated[Literal["any", "knobs"], Form()] = "any",
    note: Annotated[str | None, Form(max_length=8, description="Key that it plays, C3 or MIDI; else heard.")] = None,
    top: Annotated[int, Form(ge=1, le=9, description="How many different presets.")] = 5,
    renders: Annotated[int | None, Form(ge=1, le=5_000)] = None,
    seconds: Annotated[float, Form(gt=0.1, le=600, allow_inf_nan=False)] = 120.0,
    seed: Annotated[int, Form(ge=0, le=2**31 - 1)] = 0,
) -> JobInfo:
    """Asks for a match; answers at once with its id."""
    jobs = jobs_of(request)
    _check_room(jobs.check_room)
    if not is_known(synth):
        raise HTTPException(422, f"no synth is called {synth[:40]!r}; see /api/about")
    if note:
        try:
            parse_pitch(note)
        except NoteError as error:
            raise HTTPException(422, str(error)) from error
    words = shown_text(text)
    if sound is None and not words:
        raise HTTPException(422, "there is nothing to match; give a sound, or text that says what it is to be")
    if sound is not None:
        head = await sound.read(16)
        if not looks_like_sound(head):
            what = "is empty" if not head else "is none that menura reads"
            raise HTTPException(415, f"the file {what}; give WAV, FLAC, OGG, MP3 or AIFF")
    track = track if knows_track(synth, track) else "knobs"
    job_id, folder = store_of(request).new_job()
    try:
        if sound is not None:
            await sound.seek(0)
            with (folder / SOUND).open("wb") as file:
                while piece := await sound.read(_PIECE):
                    file.write(piece)
        facts: dict[str, Any] = {
            "name": f"{shown_name(sound.filename)} {words}".strip() if sound is not None else words,
            "text": words,
            "created": time.time(),
            "synth": synth,
            "track": track,
            "note": note or None,
            "top": top,
            "renders": renders or tracks(synth)[track if sound is not None else "words"],
            "seconds": seconds,
            "seed": seed,
            "lock": [],
            "near": None,
        }
        return info_of(jobs.add(job_id, facts))
    except (BusyError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise HTTPException(503, str(error) if isinstance(error, BusyError) else "the disk is full") from error


@router.get("/{job}", responses=problems(404))
async def get_job(job: Asked) -> JobInfo:
    """One match and how far it is."""
    return info_of(job)


@router.delete("/{job}", status_code=204, responses=problems(404))
async def remove_job(job: Asked, request: Request) -> Response:
    """Cancels a match where it is not done, and takes it away with all its files."""
    await jobs_of(request).remove(job)
    return Response(status_code=204)


@router.post("/{job}/cancel", responses=problems(404))
async def cancel_job(job: Asked, request: Request) -> JobInfo:
    """Asks a match to end: with its best so far where it has one."""
    jobs_of(request).cancel(job)
    return info_of(job)


@router.post("/{job}/again", status_code=201, responses=problems(404, 409, 503))
async def match_again(job: Asked, wanted: Again, request: Request) -> JobInfo:
    """Matches the same sound again, near one of its answers as it is turned, with some of it locked."""
    path = job.preset("matches", wanted.number)
    heard = job.last("listened")
    if path is None or heard is None:
        raise HTTPException(409, f"match {wanted.number} is not there; wait until the job is finished")
    jobs = jobs_of(request)
    _check_room(jobs.check_room)
    job_id, folder = store_of(request).new_job()
    facts = {
        **{name: job.facts[name] for name in ("name", "synth", "track", "renders", "seconds", "seed", "top")},
        **wanted.model_dump(include={"track", "renders", "seconds", "top"}, exclude_none=True),
        # The target that was kept is changed already; words alone have none.
        "text": "" if job.audible else job.facts["text"],
        "created": time.time(),
        "note": None,
        "played": {name: heard["note"][name] for name in ("pitch", "velocity", "hold", "total")},
        "lock": wanted.lock,
        "parent": job.id,
        "near": {
            "name": f"{job.facts['name']} {wanted.number}",
            "preset": str(folder / "near.preset"),
            "macros": wanted.macros,
            "controls": wanted.controls,
        },
    }
    try:
        if job.audible:
            shutil.copyfile(job.folder / TARGET, folder / SOUND)
        shutil.copyfile(path, folder / "near.preset")
        return info_of(jobs.add(job_id, facts))
    except (BusyError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise HTTPException(503, str(error) if isinstance(error, BusyError) else "the disk is full") from error


@router.get(
    "/{job}/events",
    response_class=StreamingResponse,
    responses={
        **problems(404, 429),
        200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."},
        204: {"description": "There is nothing more; do not ask again."},
    },
)
async def watch_job(
    job: Asked,
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Number of the last event that was seen.")] = 0,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> Response:
    """All that has happened in a match and all that will, from the first event or behind the last one seen."""
    if last_event_id and last_event_id.isascii() and last_event_id.isdecimal():
        after = int(last_event_id)
    if job.journal.over and after >= len(job.journal.events):
        return Response(status_code=204)
    state = request.app.state
    if state.streams >= settings_of(request).limits.streams:
        raise HTTPException(429, "too many pages watch already; close some")

    async def stream() -> AsyncIterator[bytes]:
        state.streams += 1
        try:
            async for event in job.journal.follow(after):
                yield as_stream(event)
        finally:
            state.streams -= 1

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _check_room(check: Any) -> None:
    try:
        check()
    except MenuraError as error:
        raise HTTPException(503, str(error)) from error


__all__ = ["Job", "router"]
