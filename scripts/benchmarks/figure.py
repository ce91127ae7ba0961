"""What a measurement says: a figure and, measured in the same run, its peer's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: `ratio` is figure / peer_figure; None where there is no peer. `note` is for people only."""

    name: str
    figure: float
    unit: str
    peer: str | None = None
    peer_figure: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How the figure stands to its peer's."""
        return None if self.peer_figure is None else self.figure / self.peer_figure

    def to_json(self) -> dict[str, Any]:
        """Return the line for programs."""
        return {
            "name": self.name,
            "figure": self.figure,
            "unit": self.unit,
            "peer": self.peer,
            "peer_figure": self.peer_figure,
            "ratio": self.ratio,
        }
