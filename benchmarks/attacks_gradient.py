r"""FGSM and PGD beside Foolbox and torchattacks: one net, the same images, both sides in one run.

    python -m pip install --no-deps --target /tmp/attack-libraries \
        foolbox==3.3.4 eagerpy==0.30.0 gitpython gitdb smmap torchattacks==3.5.1
    OMP_NUM_THREADS=1 PYTHONPATH=.:/tmp/attack-libraries python benchmarks/attacks_gradient.py

(`--target` keeps them out of the course's environment, `--no-deps` keeps their torch out.) The unit is the CPU time of
one forward pass and input gradient of the same batch, `unit` of `common.py`; each number is a median.
"""

import sys
from collections.abc import Callable
from functools import partial

import torch
from common import arguments, cpu_seconds, start, unit
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks

EPSILON, STEPS = 0.1, 40


def contenders(model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, dict[str, Callable[[], Tensor]]]:
    """Attack → library → what runs it. A library that is not installed is left out, and the script says so."""
    alpha = 2.5 * EPSILON / STEPS
    found = {
        "FGSM": {"lecture13": partial(attacks.fgsm, model, images, labels, EPSILON)},
        f"PGD-{STEPS}": {"lecture13": partial(attacks.pgd, model, images, labels, EPSILON, steps=STEPS)},
    }
    try:
        import foolbox
        from eagerpy import astensor

        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1))

        def with_foolbox(attack) -> Tensor:
            return attack.run(
                wrapped, astensor(images), foolbox.criteria.Misclassification(astensor(labels)), epsilon=EPSILON
            ).raw

        pgd = foolbox.attacks.LinfPGD(steps=STEPS, abs_stepsize=alpha)
        found["FGSM"]["foolbox"] = partial(with_foolbox, foolbox.attacks.FGSM(random_start=False))
        found[f"PGD-{STEPS}"]["foolbox"] = partial(with_foolbox, pgd)
    except ImportError as error:
        print(f"foolbox is left out: {error}", file=sys.stderr)
    try:
        import torchattacks

        found["FGSM"]["torchattacks"] = partial(torchattacks.FGSM(model, eps=EPSILON), images, labels)
        pgd = torchattacks.PGD(model, eps=EPSILON, alpha=alpha, steps=STEPS)
        found[f"PGD-{STEPS}"]["torchattacks"] = partial(pgd, images, labels)
    except ImportError as error:
        print(f"torchattacks is left out: {error}", file=sys.stderr)
    return found


def main() -> None:
    options = arguments(__doc__, images=256, repeats=5)
    model, test = start(options, "ε = 0.1")
    one = partial(unit, model, test.images, test.labels)
    print("| attack (ε = 0.1) | library | ms | units | time beside ours | adversarial error | mean cross-entropy |")
    print("|---|---|---|---|---|---|---|")
    for attack, libraries in contenders(model, test.images, test.labels).items():
        seconds = cpu_seconds({"unit": one, **libraries}, options.repeats)
        for library, run in libraries.items():
            torch.manual_seed(0)
            adversarial = run()
            assert (adversarial - test.images).abs().max() <= EPSILON + 1e-6, library
            logits = model(adversarial)
            wrong = (logits.argmax(1) != test.labels).float().mean()
            loss = cross_entropy(logits.double(), test.labels)
            ratio = seconds[library] / seconds["lecture13"]
            print(
                f"| {attack} | {library} | {1000 * seconds[library]:.0f} | {seconds[library] / seconds['unit']:.2f} "
                f"| {ratio:.2f} | {wrong:.1%} | {loss:.3f} |"
            )


if __name__ == "__main__":
    main()
