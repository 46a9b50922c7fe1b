"""Scenarios and functions in a run, for whoever plays them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from connect_sandbox.runs.cause import because, cause
from connect_sandbox.runs.events import ScenarioBegins, ScenarioEnded
from connect_sandbox.runs.recorder import Recorder


@contextmanager
def scenario(name: str, shows: str = "", recorder: Recorder | None = None) -> Iterator[None]:
    """Let what happens meanwhile in this thread belong to a scenario, which fails with any exception.

    recorder: who is told; by default that of the present cause, if there is one.
    """
    recorder = cause().recorder if recorder is None else recorder
    started = time.monotonic()
    with because(replace(cause(), scenario=name, recorder=recorder)):
        if recorder is None:
            yield
            return
        recorder.emit(ScenarioBegins(shows=shows))
        try:
            yield
        except BaseException as problem:
            seconds = round(time.monotonic() - started, 3)
            recorder.emit(ScenarioEnded(outcome="failed", seconds=seconds, failure=said(problem)))
            raise
        recorder.emit(ScenarioEnded(outcome="passed", seconds=round(time.monotonic() - started, 3)))


def said(problem: BaseException) -> str:
    """Return what went wrong in words; the transcript below an expectation's message is in the run already."""
    text = str(problem).split("\n\n", 1)[0]
    return text if isinstance(problem, AssertionError) and text else f"{type(problem).__name__}: {text}"
