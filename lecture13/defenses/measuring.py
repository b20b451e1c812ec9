"""A row of Wong & Kolter's Table 1: what a net gets wrong as it is, under two attacks, and at most."""

from dataclasses import asdict, dataclass

from torch import Tensor, nn

from lecture13 import attacks
from lecture13.defenses import polytope
from lecture13.estimates import Estimate, share
from lecture13.evaluation import predict


@dataclass(frozen=True)
class Row:
    """Shares of ``count`` images: misclassified as they are, under FGSM, under PGD; and not certified.

    An attack's share is a lower bound of the robust error, ``bound`` an upper one: error ≤ PGD ≤ bound.
    """

    count: int
    epsilon: float
    error: Estimate
    fgsm: Estimate
    pgd: Estimate
    bound: Estimate

    def cells(self) -> dict[str, float]:
        """By the table's columns, in its units."""
        found = {"test error": self.error, "FGSM error": self.fgsm, "PGD error": self.pgd, "robust bound": self.bound}
        return {"ε": self.epsilon} | {name: 100 * each.value for name, each in found.items()}

    def plain(self) -> dict:
        """For a file."""
        return asdict(self)

    @classmethod
    def of(cls, content: dict) -> "Row":
        """What :meth:`plain` gave."""
        estimates = {name: Estimate(**content[name]) for name in ("error", "fgsm", "pgd", "bound")}
        return cls(**{**content, **estimates})


def measure(
    network: nn.Module, images: Tensor, labels: Tensor, epsilon: float, *, steps: int = 100, step_size: float = 0.01
) -> Row:
    """The four shares, as the paper measures them: no box, PGD from the image itself.

    Args:
        network: as in :func:`lecture13.defenses.polytope.margins`.
        images, labels: ``(N, …)`` and int64 ``(N,)``, on the network's device.
        epsilon: ℓ∞ radius, above 0.
        steps, step_size: of PGD; the paper's.

    Raises:
        TypeError, ValueError: as :func:`lecture13.defenses.polytope.margins` and :func:`lecture13.attacks.pgd`.
    """
    options = {"steps": steps, "step_size": step_size, "random_start": False, "bounds": None}
    tried = {
        "error": images,
        "fgsm": attacks.fgsm(network, images, labels, epsilon, bounds=None),
        "pgd": attacks.pgd(network, images, labels, epsilon, **options),
    }
    count = len(images)
    wrong = {name: int((predict(network, x)[0] != labels.cpu()).sum()) for name, x in tried.items()}
    failed = round(polytope.robust_error(network, images, labels, epsilon, batch_size=50) * count)
    shares = {name: share(hits, count) for name, hits in wrong.items()}
    return Row(count=count, epsilon=epsilon, **shares, bound=share(failed, count))
