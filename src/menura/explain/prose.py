"""A language model writes the steps as prose, through any OpenAI-compatible endpoint; nothing it says goes unchecked.

Owns the wire and what becomes of a paragraph that is not true: it is asked for once more, then the template writes.
Knows no synth. Nothing is sent unless `write_prose` is called.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from menura.errors import InputError, WorkError
from menura.explain import texts
from menura.explain.prose_check import faults
from menura.explain.template import heard, why
from menura.explain.tutorial import Step, Tutorial

ENDPOINT = "http://localhost:11434/v1"
"""Where Ollama listens on the own machine."""
KEY = "MENURA_PROSE_KEY"
"""Environment variable that holds the key, where an endpoint wants one."""
_LONGEST = 1 << 20
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Writer:
    """A model behind an endpoint."""

    model: str
    endpoint: str = ENDPOINT
    """Address up to ``/v1``."""
    key: str = ""
    timeout: float = 120.0
    """Seconds that one answer may take."""

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("http://", "https://")):
            raise InputError(f"endpoint {self.endpoint!r} is no web address; give one such as {ENDPOINT}")
        if not self.model:
            raise InputError("no model was named; give --model, as the endpoint calls it (ollama list shows them)")

    @staticmethod
    def of_environment(model: str, endpoint: str = ENDPOINT) -> Writer:
        """With the key of the environment. Raises InputError."""
        return Writer(model, endpoint.rstrip("/"), os.environ.get(KEY, ""))

    def ask(self, messages: list[Mapping[str, str]]) -> str:
        """The model's answer. Raises WorkError."""
        body = json.dumps({"model": self.model, "messages": messages, "temperature": 0.2, "stream": False}).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        address = f"{self.endpoint}/chat/completions"
        request = urllib.request.Request(address, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                found: Any = json.loads(answer.read(_LONGEST))
            text = found["choices"][0]["message"]["content"]
        except urllib.error.HTTPError as error:
            raise WorkError(
                f"{address} answered {error.code} {error.reason}; is the model {self.model} there?"
            ) from error
        except (OSError, TimeoutError) as error:
            reason = getattr(error, "reason", error)
            raise WorkError(f"{address} cannot be reached ({reason}); start it, or give --endpoint") from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise WorkError(
                f"{address} gave no answer that is understood ({error!r}); is it OpenAI-compatible?"
            ) from error
        if not isinstance(text, str):
            raise WorkError(f"{address} gave no text; is it OpenAI-compatible?")
        return text


@dataclass(frozen=True, slots=True)
class Prose:
    """What a model wrote, as far as it is true."""

    paragraphs: Mapping[int, str] = field(default_factory=dict[int, str])
    """By number of the step, from 0."""
    refused: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    """Steps that the template writes, and what was wrong with the model's last try."""


def write_prose(
    tutorial: Tutorial, writer: Writer, names: Iterable[str], *, progress: Callable[[int, int], None] | None = None
) -> Prose:
    """Asks the model for each step.

    Args:
        tutorial: what is told.
        writer: the model.
        names: all controls and modules of the synth, see `vocabulary.Vocabulary.names`.
        progress: called with the number of the step, from 1, and of all.

    Raises:
        WorkError: the endpoint cannot be reached or does not answer.
    """
    known = list(names)
    paragraphs: dict[int, str] = {}
    refused: dict[int, tuple[str, ...]] = {}
    for number, step in enumerate(tutorial.steps):
        if progress:
            progress(number + 1, len(tutorial.steps))
        messages: list[Mapping[str, str]] = [
            {"role": "system", "content": texts.PROSE_SYSTEM},
            {"role": "user", "content": _question(step)},
        ]
        for _ in range(_TRIES):
            paragraph = " ".join(writer.ask(messages).split())
            wrong = faults(paragraph, step, tutorial, known)
            if not wrong:
                paragraphs[number] = paragraph
                refused.pop(number, None)
                break
            refused[number] = tuple(wrong)
            again = texts.PROSE_AGAIN.format(faults="; ".join(wrong))
            messages += [{"role": "assistant", "content": paragraph}, {"role": "user", "content": again}]
    return Prose(paragraphs, refused)


def _question(step: Step) -> str:
    settings = "\n".join(f"- {change.name}: {change.value}" for change in step.changes)
    return texts.PROSE_STEP.format(title=step.title, settings=settings, why=why(step), heard=heard(step))
