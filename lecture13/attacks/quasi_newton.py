"""L-BFGS in a box, for many small problems at once: each row has its own curvature, step size and end."""

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

#: ``objective(points (B, n), rows (B,)) -> (values (B,), gradients (B, n))``; rows says which problems these are.
Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
SUFFICIENT, SHRINK, TRIALS = 1e-4, 0.3, 15  # Armijo's condition, backtracking, and when to give up


def minimise(
    objective: Objective,
    start: Tensor,
    lower: Tensor | float,
    upper: Tensor | float,
    *,
    iterations: int = 50,
    memory: int = 8,
    tolerance: float = 1e-6,
) -> Tensor:
    """A local minimiser of each row's objective over ``lower ≤ x ≤ upper`` (projected L-BFGS; Bertsekas 1982).

    Each iteration fixes the values that sit on a face with the gradient pointing out, takes the two-loop L-BFGS
    direction (Nocedal & Wright 2006, Algorithm 7.4) in the others, and backtracks along the projection of that
    direction until Armijo's condition holds. So no objective ever rises. Rows that are done are not evaluated again.

    Args:
        objective: value and gradient of several problems at once; called with the rows that are still of interest.
        start: ``(B, n)``; moved into the box.
        lower, upper: the box, numbers or ``(B, n)``; infinite for no bound.
        iterations: at most so many for each row.
        memory: pairs (s, y) that the curvature is made of.
        tolerance: a row is done when an iteration lowers its value f by no more than ``tolerance·max(1, |f|)``.

    Returns:
        ``(B, n)``.
    """
    found = start.clamp(lower, upper)
    rows = torch.arange(len(start), device=start.device)
    points = found.clone()
    values, gradients = objective(points, rows)
    history: deque[tuple[Tensor, Tensor]] = deque(maxlen=memory)
    for _ in range(iterations):
        low, high = (face if isinstance(face, float | int) else face[rows] for face in (lower, upper))
        free = ~((points <= low) & (gradients > 0) | (points >= high) & (gradients < 0))
        direction = _direction(gradients, free, history)
        next_points, next_values, next_gradients = _backtrack(
            objective, rows, points, values, gradients, direction, low, high
        )
        history.append((next_points - points, next_gradients - gradients))
        going = values - next_values > tolerance * next_values.abs().clamp(min=1)
        points, values, gradients = next_points, next_values, next_gradients
        found[rows] = points
        if not bool(going.all()):
            rows, points, values, gradients = rows[going], points[going], values[going], gradients[going]
            history = deque(((s[going], y[going]) for s, y in history), maxlen=memory)
        if not len(rows):
            break
    return found


def _direction(gradients: Tensor, free: Tensor, history: deque[tuple[Tensor, Tensor]]) -> Tensor:
    """``−H·∇f`` in the free values: the two-loop recursion, for all rows at once; pairs without curvature count 0."""
    q = torch.where(free, gradients, 0.0)
    length = torch.linalg.vector_norm(q, dim=1, keepdim=True)
    scale = 1 / length.clamp(min=1.0)  # no curvature known yet: a step of length 1 at most
    pairs, alphas = [], []
    for s, y in history:
        s, y = torch.where(free, s, 0.0), torch.where(free, y, 0.0)
        curvature, square = (s * y).sum(1, keepdim=True), y.square().sum(1, keepdim=True)
        sound = curvature > torch.finfo(s.dtype).eps * square
        rho = torch.where(sound, 1 / curvature, 0.0)
        scale = torch.where(sound, curvature / square, scale)  # of the latest sound pair: sᵀy/yᵀy
        pairs.append((s, y, rho))
    r = q.clone()
    for s, y, rho in reversed(pairs):
        alpha = rho * (s * r).sum(1, keepdim=True)
        r -= alpha * y
        alphas.append(alpha)
    r *= scale
    for (s, y, rho), alpha in zip(pairs, reversed(alphas), strict=True):
        r += s * (alpha - rho * (y * r).sum(1, keepdim=True))
    r = torch.where(free, r, 0.0)
    descends = (r * q).sum(1, keepdim=True) > 0
    return -torch.where(descends, r, q / length.clamp(min=1.0))


def _backtrack(
    objective: Objective,
    rows: Tensor,
    points: Tensor,
    values: Tensor,
    gradients: Tensor,
    direction: Tensor,
    low: Tensor | float,
    high: Tensor | float,
) -> tuple[Tensor, Tensor, Tensor]:
    """For each row the first of the steps 1, .3, .09, … that lowers its value enough; where none does, none."""
    points, values, gradients, base = points.clone(), values.clone(), gradients.clone(), (points, values, gradients)
    waiting, step = torch.arange(len(rows), device=rows.device), 1.0
    for _ in range(TRIALS):
        low_here, high_here = (face if isinstance(face, float | int) else face[waiting] for face in (low, high))
        start, value, gradient = (part[waiting] for part in base)
        trial = (start + step * direction[waiting]).clamp(low_here, high_here)
        new_values, new_gradients = objective(trial, rows[waiting])
        enough = new_values <= value + SUFFICIENT * (gradient * (trial - start)).sum(1)
        taken = waiting[enough]
        points[taken], values[taken], gradients[taken] = trial[enough], new_values[enough], new_gradients[enough]
        waiting, step = waiting[~enough], step * SHRINK
        if not len(waiting):
            break
    return points, values, gradients
