"""Where a night spends its time: the CPU seconds between what its progress reports, by part of the night."""

import re
import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from orchestration.progress import Progress

START, CORRECTIONS, END = "start, between stages", "days of the past corrected", "end"
LAYERS = ("rules", "staging", "intermediate", "features", "prediction", "segments", "history", "published")
UP_TO_FEATURES = LAYERS[: LAYERS.index("features") + 1]
UP_TO_SEGMENTS = LAYERS[: LAYERS.index("segments") + 1]


@dataclass(frozen=True)
class Moment:
    """What was reported, and the CPU seconds of the process so far.

    Attributes:
        kind: stage (begins), step (of a stage, done), finish (of a stage).
        what: the title of the stage, or what the step made.
        cpu: seconds, user and system.
        prefix: what the night put before its titles: it works on a day of the past then.
    """

    kind: str
    what: str
    cpu: float
    prefix: str = ""


def watch(progress: type[Progress]) -> list[Moment]:
    """From now on, whatever progress of this class is told is also remembered; the list grows as it is."""
    moments: list[Moment] = []

    def remembering(kind: str, tell: Callable[..., None]) -> Callable[..., None]:
        @wraps(tell)
        def told(self: Progress, what: str = "", *counts: int) -> None:
            moments.append(Moment(kind, what, cpu_seconds(), getattr(self, "prefix", "")))
            tell(self, what, *counts)

        return told

    for kind in ("stage", "step", "finish"):
        setattr(progress, kind, remembering(kind, getattr(progress, kind)))
    return moments


def cpu_seconds() -> float:
    """CPU seconds of this process and its ended children so far."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def parts_of_nodes(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Node of the dbt manifest → part of the night: `<layer>` for models and seeds, `<layer> tests`, by the last layer a test reads."""
    nodes = manifest["nodes"]
    layers = {key: "rules" if node["resource_type"] == "seed" else node["fqn"][1] for key, node in nodes.items()}
    parts = {}
    for key, node in nodes.items():
        if node["resource_type"] in ("model", "seed"):
            parts[node["name"]] = layers[key]
        elif node["resource_type"] == "test":
            read = [layers[parent] for parent in node["depends_on"]["nodes"] if parent in layers]
            known = [layer for layer in read if layer in LAYERS]
            parts[node["name"]] = f"{max(known, key=LAYERS.index, default='rules')} tests"
    return parts


def cpu_by_part(moments: Sequence[Moment], parts: Mapping[str, str], total: float) -> dict[str, float]:
    """CPU seconds by part, `total` in sum. What dbt needs to start is counted with the first thing that it makes."""
    spent: dict[str, float] = {}
    before, stage = 0.0, START
    for moment in moments:
        part = parts.get(moment.what, stage) if moment.kind == "step" and not moment.prefix else stage
        spent[part] = spent.get(part, 0.0) + moment.cpu - before
        before = moment.cpu
        if moment.kind == "stage":
            stage = CORRECTIONS if moment.prefix else re.sub(r"^\d+/\d+ ", "", moment.what)
        elif moment.kind == "finish":
            stage = START
    spent[END] = spent.get(END, 0.0) + total - before
    return spent
