"""What a score says: its name, its value, on how many images, and what real images would get."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One number about a set of images.

    Args:
        name: says which features it was computed on.
        value: of the generated images.
        generated: how many they were.
        real: how many real ones they were compared with; None where the score needs none.
        baseline: what fresh real images get in the generated ones' place, of the same number; None: not measured.
        spread: standard deviation over the splits, where there are splits.
    """

    name: str
    value: float
    generated: int
    real: int | None = None
    baseline: float | None = None
    spread: float | None = None

    def __str__(self) -> str:
        spread = "" if self.spread is None else f" ± {self.spread:.2g}"
        against = "" if self.real is None else f" against {self.real} real ones"
        baseline = "" if self.baseline is None else f"; {self.baseline:.3g} for real ones in their place"
        return f"{self.name}: {self.value:.3g}{spread} ({self.generated} generated images{against}{baseline})"
