r"""DeepFool and L-BFGS beside Foolbox, torchattacks and ART: one net, the same images, all of them in one run.

    python -m pip install --no-deps --target /tmp/attack-libraries \
        foolbox==3.3.4 eagerpy==0.30.0 gitpython gitdb smmap torchattacks==3.5.1 adversarial-robustness-toolbox==1.20.1
    OMP_NUM_THREADS=1 PYTHONPATH=.:/tmp/attack-libraries python benchmarks/attacks_deepfool.py

(`--target` keeps them out of the course's environment, `--no-deps` keeps their torch out.) The unit is the CPU time of
one forward pass and input gradient of the same batch, `unit` of `common.py`; each number is a median. The change
is without a box, as in the paper, where a library can do without one; each row says.
"""

import sys
from collections.abc import Callable
from functools import partial

import torch
from common import arguments, cpu_seconds, start, unit
from torch import Tensor, nn

from lecture13 import attacks, evaluation


def contenders(model: nn.Module, images: Tensor, labels: Tensor) -> dict[tuple[str, str, str], Callable[[], Tensor]]:
    """(attack, library, box) → what runs it. A library that is not installed is left out, and the script says so."""
    targets = (labels + 1) % 10
    found = {
        ("DeepFool ℓ2", "lecture13", "none"): partial(attacks.deepfool, model, images),
        ("DeepFool ℓ2", "lecture13", "[0, 1]"): partial(attacks.deepfool, model, images, bounds=(0, 1)),
        ("DeepFool ℓ∞", "lecture13", "none"): partial(attacks.deepfool, model, images, norm="linf"),
        ("DeepFool ℓ∞", "lecture13", "[0, 1]"): partial(attacks.deepfool, model, images, norm="linf", bounds=(0, 1)),
        ("L-BFGS targeted", "lecture13", "[0, 1]"): partial(attacks.lbfgs, model, images, targets),
        ("L-BFGS second class", "lecture13", "[0, 1]"): partial(attacks.lbfgs_untargeted, model, images),
    }
    try:
        import foolbox
        from eagerpy import astensor

        wide = foolbox.PyTorchModel(model, bounds=(-100, 100))
        tight = foolbox.PyTorchModel(model, bounds=(0, 1))

        def with_foolbox(attack, wrapped) -> Tensor:
            criterion = foolbox.criteria.Misclassification(astensor(labels))
            return attack.run(wrapped, astensor(images), criterion).raw

        for name, kind in (("ℓ2", foolbox.attacks.L2DeepFoolAttack), ("ℓ∞", foolbox.attacks.LinfDeepFoolAttack)):
            for box, wrapped in (("none", wide), ("[0, 1]", tight)):
                run = partial(with_foolbox, kind(candidates=10, overshoot=0.02, loss="logits"), wrapped)
                found[f"DeepFool {name}", "foolbox", box] = run
    except ImportError as error:
        print(f"foolbox is left out: {error}", file=sys.stderr)
    try:
        import torchattacks

        attack = torchattacks.DeepFool(model, steps=50, overshoot=0.02)
        found["DeepFool ℓ2", "torchattacks", "[0, 1]"] = partial(attack, images, labels)
    except ImportError as error:
        print(f"torchattacks is left out: {error}", file=sys.stderr)
    try:
        from art.attacks.evasion import DeepFool
        from art.estimators.classification import PyTorchClassifier

        classifier = PyTorchClassifier(
            model, loss=nn.CrossEntropyLoss(), input_shape=tuple(images.shape[1:]), nb_classes=10, device_type="cpu"
        )
        attack = DeepFool(classifier, max_iter=50, epsilon=0.02, nb_grads=10, batch_size=len(images), verbose=False)
        found["DeepFool ℓ2", "ART", "none"] = lambda: torch.from_numpy(attack.generate(images.numpy()))
    except ImportError as error:
        print(f"ART is left out: {error}", file=sys.stderr)
    return found


def main() -> None:
    options = arguments(__doc__, images=100, repeats=3)
    model, test = start(options, "fooled: against the predicted class")
    labels = evaluation.predict(model, test.images)[0]  # what is left is the predicted class, for all of them alike
    runs = contenders(model, test.images, labels)
    print("| attack | library | box | ms | units | success | mean ‖r‖₂/‖x‖₂ | mean ‖r‖∞ |")
    print("|---|---|---|---|---|---|---|---|")
    seconds = cpu_seconds({"unit": partial(unit, model, test.images, labels), **runs}, options.repeats)
    for (attack, library, box), run in runs.items():
        adversarial = run().detach()
        fooled = (model(adversarial).argmax(1) != labels).float().mean()
        change = (adversarial - test.images).flatten(1)
        relative = (change.norm(dim=1) / test.images.flatten(1).norm(dim=1)).mean()
        time = seconds[attack, library, box]
        print(
            f"| {attack} | {library} | {box} | {1000 * time:.0f} | {time / seconds['unit']:.1f} | {fooled:.0%} "
            f"| {relative:.4f} | {change.abs().amax(1).mean():.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
