"""Results: a figure, its peer's figure from the same run, and the aims that bound it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a result: `ratio` is figure / peer_figure, None without a peer. `note` is for people only."""

    name: str
    figure: float
    unit: str
    peer: str | None = None
    peer_figure: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure divided by its peer's; None without a peer."""
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


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound on a figure, or on its ratio to its peer. `peer` selects a line if several have the same name."""

    name: str
    bound: float
    of_ratio: bool = True
    at_least: bool = True
    peer: str | None = None

    def concerns(self, figure: Figure) -> bool:
        """Whether this bound applies to this line."""
        return figure.name == self.name and self.peer in (None, figure.peer)

    def met(self, figure: Figure) -> bool:
        """Whether the line meets the bound."""
        value = figure.ratio if self.of_ratio else figure.figure
        assert value is not None, f"{self.name}: an aim on a ratio, and no peer"
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        """Return the bound as text, as in `≥ 0.95`."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:,g}{' ×' if self.of_ratio else ''}"


AIMS = (
    Aim("hash", 0.95),
    Aim("statement", 4, peer="eth-account"),
    Aim("statement", 0.4, peer="coincurve"),
    Aim("log", 1),
    Aim("proof", 1.6, at_least=False),
    Aim("proof", 2, of_ratio=False, at_least=False),
    Aim("register", 0.6),
    Aim("register-batch", 2),
    Aim("verify", 12, at_least=False),
    Aim("audit", 0.5),
    Aim("gas-anchor-typical", 72_000, of_ratio=False, at_least=False),
    Aim("gas-anchor-worst", 86_000, of_ratio=False, at_least=False),
    Aim("gas-verify-inclusion", 22_000, of_ratio=False, at_least=False),
)
"""The aims. `×` marks a bound on the ratio; the others bound the figure itself."""
