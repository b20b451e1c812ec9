"""The first attack of all: the smallest change towards a class of one's choice, by box-constrained L-BFGS."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from lecture13 import guard
from lecture13.attacks.checks import check_choice, check_number
from lecture13.attacks.gradient import margin_loss
from lecture13.attacks.quasi_newton import minimise
from lecture13.guard import Bounds, Model


@torch.inference_mode(False)
def lbfgs(
    model: Model,
    images: Tensor,
    targets: Tensor,
    *,
    search_steps: int = 10,
    iterations: int = 50,
    initial_c: float = 1.0,
    bounds: Bounds = (0.0, 1.0),
    chunk_size: int | None = None,
) -> Tensor:
    """The nearest image that is classified as its target (Szegedy et al. 2014, section 4.1).

    Minimise ``c·‖r‖₂² + J(x + r, l)`` subject to ``x + r`` in the box, for the largest c whose minimiser is classified
    as the target l: the larger c, the smaller r. Each image has its own c, found by a binary search on its logarithm,
    and its own run of projected L-BFGS; all of them share the model's passes. (The paper writes ``c|r|``; the square
    has a gradient at r = 0.) Of all points that the model was shown on the way and took for the target, the nearest to
    x is what comes back.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        images: float ``(N, C, H, W)``, in ``bounds``.
        targets: int64 ``(N,)``: the classes wanted. An image that is classified as its target already comes back as it
            is, and so does one for which no c reaches the target: ``model(result).argmax(1)`` says which.
        search_steps: values of c tried for each image, ≥ 1.
        iterations: of L-BFGS for each c, ≥ 1; most need far fewer.
        initial_c: the first c, in nats per squared pixel unit, > 0. The search leaves it by factors of 10.
        bounds: the box ``(low, high)`` that the result stays in; None: no box.
        chunk_size: images in one pass; None: as many as hold about 2 million values, at most 256.

    Returns:
        The adversarial images, ``(N, C, H, W)``, dtype, device and memory format of ``images``.

    Raises:
        TypeError: images that are not floating, targets that are not int64, an initial_c that is not a number.
        ValueError: NaN images, images outside the box, targets out of range, counts below 1, an initial_c that is not
            above 0, or a model that does not return (N, K), is detached inside, or has NaN gradients.
    """
    search_steps, iterations = (
        guard.check_count("search_steps", search_steps),
        guard.check_count("iterations", iterations),
    )
    initial_c = check_number("initial_c", initial_c, open_low=True)
    bounds = guard.check_bounds(bounds)
    images = guard.check_images(images, bounds)
    targets = guard.check_labels(targets, images)
    with guard.frozen(model, images.device):
        for part in guard.chunks(images, chunk_size):
            images[part] = _search(
                _Problem(model, images[part], targets[part], bounds), search_steps, iterations, initial_c
            )
    return images


def lbfgs_untargeted(model: Model, images: Tensor, *, targets: str = "second", **options) -> Tensor:
    """:func:`lbfgs` away from the predicted class, whether it is right or wrong.

    Args:
        model, images: as in :func:`lbfgs`.
        targets: ``"second"``: the class of the second highest logit; ``"all"``: every other class, K − 1 times the
            work, and each image keeps the nearest result.
        options: of :func:`lbfgs`.

    Returns:
        As :func:`lbfgs`; an image for which no target is reached comes back as it is.

    Raises:
        TypeError, ValueError: as :func:`lbfgs`; unknown ``targets``.
    """
    check_choice("targets", targets, ("second", "all"))
    images = guard.check_images(images, options.get("bounds", (0.0, 1.0)))
    if not len(images):
        return images
    with guard.frozen(model, images.device), torch.no_grad():
        parts = guard.chunks(images, options.get("chunk_size"))
        order = torch.cat([guard.logits(model, images[part]).argsort(1, descending=True) for part in parts])
    best, shortest = images.clone(), torch.full((len(images),), torch.inf, device=images.device)
    for wanted in order[:, 1:2].T if targets == "second" else order[:, 1:].T:
        found = lbfgs(model, images, wanted.contiguous(), **options)
        length = torch.linalg.vector_norm((found.float() - images.float()).flatten(1), dim=1)
        nearer = (length > 0) & (length < shortest)  # length 0: not reached
        best[nearer], shortest[nearer] = found[nearer], length[nearer]
    return best


class _Problem:
    """``c·‖r‖₂² + J(x + r, l)`` for each image of a batch, and the nearest point seen that is classified as l."""

    def __init__(self, model: Model, images: Tensor, targets: Tensor, bounds: Bounds):
        self.model, self.images, self.targets = model, images, targets
        self.lower, self.upper = (-torch.inf, torch.inf) if bounds is None else bounds
        exact = torch.promote_types(images.dtype, torch.float32)
        self.centres = images.to(exact).flatten(1)
        self.c = torch.ones_like(self.centres[:, 0])
        self.best, self.shortest = images.clone(), torch.full_like(self.c, torch.inf)
        self.reached = torch.zeros_like(targets, dtype=torch.bool)  # is the last point shown of the target's class?

    def __call__(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Value and gradient at ``points (B, n)`` of the problems ``rows (B,)``."""
        targets = self.targets[rows]
        inputs = points.view(-1, *self.images.shape[1:]).to(self.images.dtype).requires_grad_()
        logits = guard.logits_with_graph(self.model, inputs, targets)
        m, towards = margin_loss(logits.detach(), targets)
        (gradient,) = torch.autograd.grad(logits, inputs, towards.to(logits))
        if bool(gradient.sum().isnan()):
            raise ValueError("the gradient of the loss is NaN: the model's logits or weights are not finite")
        self._offer(inputs.detach(), logits.detach().argmax(1) == targets, rows)
        c, change, m = self.c[rows], points - self.centres[rows], m.to(points)
        values = c * change.square().sum(1) + softplus(m)  # J = log(1 + eᵐ)
        gradient = gradient.to(points).flatten(1) * m.sigmoid()[:, None]  # ∇J = σ(m)·∇m
        return values, gradient + 2 * c[:, None] * change

    def _offer(self, points: Tensor, reached: Tensor, rows: Tensor) -> None:
        self.reached[rows] = reached
        length = torch.linalg.vector_norm(points.to(self.c).flatten(1) - self.centres[rows], dim=1)
        nearer = reached & (length < self.shortest[rows])
        self.best[rows[nearer]], self.shortest[rows[nearer]] = points[nearer], length[nearer]


def _search(problem: _Problem, search_steps: int, iterations: int, initial_c: float) -> Tensor:
    """Binary search on log c: up by 10 while the target is reached, down by 10 while not, then by geometric means."""
    rows = torch.arange(len(problem.images), device=problem.images.device)
    problem(problem.centres, rows)  # images of their target's class already: r = 0 is the answer
    rows = rows[~problem.reached]
    points = problem.centres.clone()
    problem.c.fill_(initial_c)
    reaching, missing = torch.zeros_like(problem.c), torch.full_like(problem.c, torch.inf)  # the bracket of each c
    for _ in range(search_steps if len(rows) else 0):
        # from where the last c led: a small change of c moves the minimiser little
        points[rows] = minimise(
            lambda at, index: problem(at, rows[index]),
            points[rows],
            problem.lower,
            problem.upper,
            iterations=iterations,
        )
        problem(points[rows], rows)
        reached = torch.zeros_like(problem.reached)
        reached[rows] = problem.reached[rows]
        reaching = torch.where(reached, problem.c, reaching)
        missing = torch.where(reached, missing, problem.c)
        middle = (reaching * missing).sqrt()
        problem.c = torch.where(reaching == 0, missing / 10, torch.where(missing.isinf(), 10 * reaching, middle))
    return problem.best
