"""What the addresses have in common: finding a job, refusing with one line, reading macros and controls of a query.

Owns the meeting of requests and jobs; knows no sound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Query, Request
from pydantic import StringConstraints

from menura.web.jobs import Job, Jobs
from menura.web.schemas import JobId, JobInfo, Problem
from menura.web.settings import Settings
from menura.web.store import Store
from menura.web.studio import Studio

_TOLD = ("name", "created", "synth", "track", "renders", "seconds", "top", "lock")
_TURN = re.compile(r"([a-z0-9_]{1,64}):(-?\d{1,3}(?:\.\d{1,12})?)")
Turn = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}:-?[0-9]{1,3}(\.[0-9]{1,12})?$")]
Shelf = Literal["matches", "so-far"]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an address that are no success, for the OpenAPI document."""
    words = {
        400: "The request cannot be read.",
        401: "The token is missing.",
        403: "Not from here.",
        404: "There is no such thing.",
        408: "The request came too slowly.",
        409: "Not in this state.",
        413: "Too large.",
        415: "No sound that menura reads.",
        422: "A value cannot be used.",
        429: "Too many at once.",
        500: "The work failed.",
        503: "Too much to do just now.",
    }
    return {
        status: {"model": Problem, "description": words[status]}
        for status in sorted({400, 401, 403, 408, 413, 422, *statuses})
    }


def jobs_of(request: Request) -> Jobs:
    """The server's jobs."""
    return request.app.state.jobs


def studio_of(request: Request) -> Studio:
    """The server's studio."""
    return request.app.state.studio


def store_of(request: Request) -> Store:
    """The server's folders."""
    return request.app.state.store


def settings_of(request: Request) -> Settings:
    """What the server was told."""
    return request.app.state.settings


def only_known_names(request: Request) -> None:
    """Refuses a query with names that the address does not have: a misspelt one would be passed over in silence.

    Raises 422.
    """
    told = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = {each["name"] for each in told.get("parameters", []) if each["in"] == "query"}
    for name in request.query_params:
        if name not in known:
            raise HTTPException(422, f"there is no {name[:40]!r} here; known: {', '.join(sorted(known)) or 'nothing'}")


def job_of(job: JobId, request: Request) -> Job:
    """The job of an address. Raises 404."""
    found = jobs_of(request).get(job)
    if found is None:
        raise HTTPException(404, "no match has this id; it may have been removed")
    return found


Asked = Annotated[Job, Depends(job_of)]


class Turns:
    """How an answer is turned and played: the query `macro=brighter:0.5&set=osc_1_level:0.7&pitch=64`."""

    def __init__(
        self,
        macro: Annotated[list[Turn], Query(description="Macro and amount, -1 to 1, as brighter:0.5.")] = [],  # noqa: B006
        set: Annotated[list[Turn], Query(description="Control and its place in its range, 0 to 1.")] = [],  # noqa: A002, B006
        pitch: Annotated[float | None, Query(ge=0, le=127, allow_inf_nan=False, description="MIDI key.")] = None,
        velocity: Annotated[float | None, Query(ge=0.01, le=1, allow_inf_nan=False)] = None,
        hold: Annotated[float | None, Query(ge=0.01, le=12, allow_inf_nan=False, description="Seconds.")] = None,
    ) -> None:
        self.macros = _turns(macro, -1.0, "macro")
        self.controls = _turns(set, 0.0, "set")
        self.pitch, self.velocity, self.hold = pitch, velocity, hold

    def note(self, played: Mapping[str, float]) -> dict[str, float]:
        """The note that is played: the target's, but for what was asked for."""
        note = {name: float(played[name]) for name in ("pitch", "velocity", "hold", "total")}
        for name in ("pitch", "velocity", "hold"):
            if (value := getattr(self, name)) is not None:
                note[name] = float(value)
        if self.hold is not None:
            # What rings after the key as before, and a second where it is held to the end.
            rest = max(float(played["total"]) - float(played["hold"]), 1.0)
            note["total"] = min(self.hold + rest, 24.0)
        return note


def _turns(texts: Sequence[str], low: float, what: str) -> dict[str, float]:
    found: dict[str, float] = {}
    if len(texts) > 1000:
        raise HTTPException(422, f"{what} is given {len(texts)} times; give 1000 at most")
    for text in texts:
        read = _TURN.fullmatch(text)
        value = float(read[2]) if read else math.nan
        if not read or not low <= value <= 1.0:
            raise HTTPException(422, f"{what} {text!r} is not understood; write name:number, {low:g} to 1")
        found[read[1]] = value
    return found


def info_of(job: Job) -> JobInfo:
    """A job as the API tells it."""
    heard = job.last("listened")
    improved = job.last("improved")
    matches = job.matches
    over = job.journal.events[-1] if job.journal.over else {}
    nearest = min((m["distance"] for m in matches), default=improved["distance"] if improved else None)
    return JobInfo.model_validate(
        {
            **{name: job.facts[name] for name in _TOLD},
            "id": job.id,
            "text": job.facts.get("text", ""),
            "state": job.state,
            "parent": job.facts.get("parent"),
            "note": heard["note"] if heard else None,
            "pitched": heard["pitched"] if heard else None,
            "distance": nearest,
            "message": over.get("message"),
            "matches": matches,
        }
    )
