"""The addresses of sounds and presets: hear, see, turn, download, install. Renders nothing itself."""

from __future__ import annotations

import asyncio
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import FileResponse, Response

from menura.errors import MenuraError
from menura.web.asking import Asked, Shelf, Turns, problems, settings_of, studio_of
from menura.web.jobs import Job
from menura.web.schemas import Building, Controls, Installed, Picture
from menura.web.store import RESULT, TARGET
from menura.web.studio import StudioError

router = APIRouter(prefix="/api/jobs/{job}", tags=["sounds"])
Number = Annotated[int, Path(ge=1, le=100_000)]
Turned = Annotated[Turns, Depends()]
_WAVE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}, "description": "The sound."}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The file.",
    }
}
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"model": Picture, "description": "Numbers to draw."}}
_BUILDING: dict[int | str, dict[str, Any]] = {200: {"model": Building, "description": "The steps."}}
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "The report, one file."}
}


@router.get("/target/sound", response_class=Response, responses={**problems(404), **_WAVE})
async def target_sound(job: Asked) -> FileResponse:
    """The sound that is matched: one channel, 44.1 kHz, trimmed. Words alone have none."""
    return FileResponse(_target(job), media_type="audio/wav")


@router.get("/target/picture", response_class=Response, responses={**problems(404, 500, 503), **_PICTURE})
async def target_picture(job: Asked, request: Request) -> FileResponse:
    """The target as numbers to draw."""
    path, heard = _target(job), _heard(job)
    wanted = {"target": str(path), "note": _note(heard), "pitched": heard["pitched"]}
    return FileResponse(await _of(studio_of(request).target(wanted)), media_type="application/json")


@router.get("/report", response_class=Response, responses={**problems(404), **_PAGE})
async def report(job: Asked) -> FileResponse:
    """The report as one file that needs nothing beside it."""
    path = job.folder / RESULT / "report.html"
    if not path.is_file():
        raise HTTPException(404, "there is no report; a match has one when it is finished")
    return FileResponse(path, media_type="text/html", filename=f"{File(job.matches[0]['preset']).stem[3:]}.html")


@router.get("/{shelf}/{number}/sound", response_class=Response, responses={**problems(404, 500, 503), **_WAVE})
async def candidate_sound(job: Asked, shelf: Shelf, number: Number, turns: Turned, request: Request) -> FileResponse:
    """An answer (or a candidate that was the best for a while) as it is turned, played by the engine."""
    wanted = _request(job, shelf, number, turns)
    return FileResponse(await _of(studio_of(request).sound(wanted)), media_type="audio/wav")


@router.get("/{shelf}/{number}/picture", response_class=Response, responses={**problems(404, 500, 503), **_PICTURE})
async def candidate_picture(job: Asked, shelf: Shelf, number: Number, turns: Turned, request: Request) -> FileResponse:
    """The same sound as numbers to draw, with its loudness and its distance from the target."""
    path = await _of(studio_of(request).sound(_request(job, shelf, number, turns)))
    return FileResponse(path.with_suffix(".json"), media_type="application/json")


@router.get("/{shelf}/{number}/preset", response_class=Response, responses={**problems(404, 500, 503), **_FILE})
async def candidate_preset(job: Asked, shelf: Shelf, number: Number, turns: Turned, request: Request) -> FileResponse:
    """The preset file as it is turned; unturned, byte for byte the one that was matched."""
    path, name = await _preset(job, shelf, number, turns, request)
    return FileResponse(path, media_type="application/octet-stream", filename=name)


@router.get("/{shelf}/{number}/controls", responses=problems(404, 500, 503))
async def candidate_controls(job: Asked, shelf: Shelf, number: Number, turns: Turned, request: Request) -> Controls:
    """Every control of the preset as it is turned, and the macros of its synth."""
    wanted = _request(job, shelf, number, turns)
    return Controls.model_validate(await _of(studio_of(request).controls(wanted)))


@router.get("/{shelf}/{number}/building", response_class=Response, responses={**problems(404, 500, 503), **_BUILDING})
async def candidate_building(job: Asked, shelf: Shelf, number: Number, turns: Turned, request: Request) -> FileResponse:
    """How the preset, as it is turned, is built from the initial patch, each step played and measured."""
    wanted = {**_request(job, shelf, number, turns), "target": None}
    return FileResponse(await _of(studio_of(request).building(wanted)), media_type="application/json")


@router.post("/{shelf}/{number}/install", status_code=201, responses=problems(404, 409, 500, 503))
async def install_preset(job: Asked, shelf: Shelf, number: Number, turns: Turned, request: Request) -> Installed:
    """Saves the preset, as it is turned, into the synth's own folder on the machine of this server."""
    from menura import export, storage

    settings = settings_of(request)
    if not settings.loopback:
        raise HTTPException(403, "this server runs on another machine; download the preset instead")
    if job.facts["synth"] != "vital":
        raise HTTPException(409, f"the preset folder of {job.facts['synth']} is not known; download the preset instead")
    path, name = await _preset(job, shelf, number, turns, request)

    def copy() -> File:
        staged = job.folder / "install" / name
        storage.write_bytes(staged, path.read_bytes(), force=True)
        return export.install([staged])[0]

    try:
        return Installed(path=str(await asyncio.to_thread(copy)))
    except MenuraError as error:
        raise HTTPException(500, str(error)) from error


def _target(job: Job) -> File:
    _heard(job)
    if not job.audible:
        raise HTTPException(404, "this match has no target that can be heard: it was asked for in words")
    return job.folder / TARGET


def _heard(job: Job) -> dict[str, Any]:
    heard = job.last("listened")
    if heard is None:
        raise HTTPException(404, "the target is not there; wait until the match has listened to it")
    return heard


def _note(heard: dict[str, Any]) -> dict[str, float]:
    return {name: heard["note"][name] for name in ("pitch", "velocity", "hold", "total")}


def _request(job: Job, shelf: str, number: int, turns: Turns) -> dict[str, Any]:
    preset = job.preset(shelf, number)
    if preset is None or not preset.is_file():
        raise HTTPException(404, f"there is no {number} among the {shelf} of this job")
    heard = _heard(job)
    played = _note(heard)
    note = turns.note(played)
    return {
        "preset": str(preset),
        "synth": job.facts["synth"],
        "macros": turns.macros,
        "controls": turns.controls,
        "note": note,
        "pitched": heard["pitched"],
        "target": str(_target(job)) if note == played and job.audible else None,
    }


async def _preset(job: Job, shelf: str, number: int, turns: Turns, request: Request) -> tuple[File, str]:
    """The file, and the name it is given: ours alone, never the uploader's."""
    wanted = _request(job, shelf, number, turns)
    matched = File(wanted["preset"])
    name = matched.name
    if shelf != "matches":
        from menura.export import file_name
        from menura.synths.registry import synth_of

        name = f"so-far-{number}-{file_name(job.facts['name'])}{synth_of(job.facts['synth']).suffix}"
    if not turns.macros and not turns.controls:
        return matched, name
    plain = {**wanted, "note": None, "target": None}
    return await _of(studio_of(request).preset(plain)), f"{File(name).stem}-turned{File(name).suffix}"


async def _of(coming: Any) -> Any:
    try:
        return await coming
    except StudioError as error:
        raise HTTPException(error.status, str(error)) from error
