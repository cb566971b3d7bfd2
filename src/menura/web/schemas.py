"""What the API says, as types: the OpenAPI document is made of them. Knows no job's inside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

State = Literal["queued", "running", "finished", "failed", "cancelled"]
JobId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
Place = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)]


class Problem(BaseModel):
    """Why something was not done, in one line."""

    error: str


class NoteHeard(BaseModel):
    """The note that a target plays."""

    pitch: float
    velocity: float
    hold: float
    total: float
    name: str


class MatchFound(BaseModel):
    """One answer."""

    number: int
    distance: float
    verdict: str
    sentence: str
    reached: bool
    scores: dict[str, float | None]
    lineage: list[str]
    preset: str
    """Name of its file."""
    sound: str


class JobInfo(BaseModel):
    """One match and how far it is."""

    id: str
    name: str
    state: State
    created: float
    """Seconds since 1970."""
    synth: str
    track: str
    text: str
    """How the sound was to change; without a sound, what it was to be."""
    renders: int
    seconds: float
    top: int
    lock: list[str]
    parent: str | None
    """The match that it goes on from."""
    note: NoteHeard | None
    """What was heard; none before it was listened to."""
    pitched: bool | None
    distance: float | None
    """The nearest so far."""
    message: str | None
    """Why it failed or was cancelled."""
    matches: list[MatchFound]


class JobList(BaseModel):
    """All matches that are kept, the newest first."""

    jobs: list[JobInfo]


class Again(BaseModel):
    """Match again from an answer: stay near it, as it is turned, and keep what is locked."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1, le=20)
    macros: dict[Name, Amount] = Field(default_factory=dict, max_length=32)
    controls: dict[Name, Place] = Field(default_factory=dict, max_length=1000)
    lock: list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_*]{1,64}$")]] = Field(
        default_factory=list, max_length=1000
    )
    track: Literal["any", "knobs"] | None = None
    renders: int | None = Field(default=None, ge=1, le=5_000)
    seconds: float | None = Field(default=None, gt=0.1, le=600.0, allow_inf_nan=False)
    top: int | None = Field(default=None, ge=1, le=9)


class Picture(BaseModel):
    """A sound as numbers to draw, see `menura.web.picture.picture_of`."""

    seconds: float
    bands: int
    columns: int
    column_seconds: float
    floor_db: float
    step_db: float
    mel: str
    hz: list[float]
    envelope_db: list[float]
    pitch: list[float | None] | None
    lufs: float | None
    peak_db: float | None
    distance: float | None


class ControlRow(BaseModel):
    """One control of a preset."""

    name: str
    label: str
    group: str
    kind: str
    steps: int
    choices: list[str]
    place: float
    initial: float
    text: str


class MacroRow(BaseModel):
    """One macro."""

    name: str
    more: str
    less: str
    hint: str


class Controls(BaseModel):
    """Everything that can be turned."""

    controls: list[ControlRow]
    macros: list[MacroRow]
    groups: list[str]


class Setting(BaseModel):
    """A control and what it is set to, in the synth's words and units."""

    name: str
    value: str


class SetTogether(BaseModel):
    """Controls that are set at one place of the synth."""

    title: str
    changes: list[Setting]


class BuildingStep(SetTogether):
    """One step, and what it does to the sound, measured."""

    group: str
    why: str
    heard: str


class Building(BaseModel):
    """How a preset is built from the initial patch."""

    note: str
    """With which the steps are played."""
    steps: list[BuildingStep]
    also: list[SetTogether]
    """Set as well, and not heard with that note."""
    also_said: str


class SynthInfo(BaseModel):
    """One synth."""

    name: str
    title: str
    tracks: dict[str, int]
    """Each track, and words alone, and the usual number of renders."""
    installs: bool
    """True where presets can be saved into its own folder."""


class About(BaseModel):
    """The server."""

    version: str
    synths: list[SynthInfo]
    upload_bytes: int
    upload_seconds: float
    renders: int
    seconds: float
    matches: int


class Installed(BaseModel):
    """Where a preset was saved."""

    path: str
