r"""Rotations and translations beside Foolbox: one net, the same images and limits, both sides in one run.

    python -m pip install --no-deps --target /tmp/attack-libraries \
        foolbox==3.3.4 eagerpy==0.30.0 gitpython gitdb smmap
    OMP_NUM_THREADS=1 PYTHONPATH=.:/tmp/attack-libraries python benchmarks/attacks_spatial.py

The unit is the CPU time of one forward pass and input gradient of the same batch, `unit` of `common.py`.
Foolbox's grid ends when every image of the batch is fooled; the number of images that went through the net tells how
much it did.
"""

import sys
from collections.abc import Callable
from functools import partial

import torch
from common import arguments, cpu_seconds, start, unit
from torch import Tensor, nn

from lecture13 import attacks


def contenders(model: nn.Module, images: Tensor, labels: Tensor) -> dict[tuple[str, str], Callable[[], Tensor]]:
    """(attack, library) → what runs it. A library that is not installed is left out, and the script says so."""
    ours = partial(attacks.spatial, model, images, labels, max_translation=3 / images.shape[-1])
    found = {
        ("grid of 775", "lecture13"): lambda: ours().images,
        ("grid of 775, to the first success", "lecture13"): lambda: ours(first_success=True).images,
        ("worst of 10", "lecture13"): lambda: ours(method="worst-of-k").images,
        ("first-order, 50 steps", "lecture13"): lambda: ours(method="first-order").images,
    }
    try:
        import foolbox
        from eagerpy import astensor

        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1))

        def with_foolbox(attack) -> Tensor:
            return attack(wrapped, astensor(images), foolbox.criteria.Misclassification(astensor(labels)))[0].raw

        limits = {"max_translation": 3, "max_rotation": 30}
        grid = foolbox.attacks.SpatialAttack(**limits, num_translations=5, num_rotations=31, grid_search=True)
        found["grid of 775", "foolbox"] = partial(with_foolbox, grid)
        random = foolbox.attacks.SpatialAttack(**limits, grid_search=False, random_steps=10)
        found["worst of 10", "foolbox"] = partial(with_foolbox, random)
    except ImportError as error:
        print(f"foolbox is left out: {error}", file=sys.stderr)
    return found


def main() -> None:
    options = arguments(__doc__, images=100, repeats=3)
    model, test = start(options, "±30°, ±3 px")
    runs = contenders(model, test.images, test.labels)
    print("| attack | library | ms | units | images that the net saw | adversarial error |")
    print("|---|---|---|---|---|---|")
    one = partial(unit, model, test.images, test.labels)
    seconds = cpu_seconds({"unit": one, **runs}, options.repeats)
    seen = []
    model.register_forward_hook(lambda module, arguments, logits: seen.append(len(logits)))
    for (attack, library), run in runs.items():
        torch.manual_seed(0)
        seen.clear()
        adversarial = run()
        count = sum(seen)
        wrong = (model(adversarial).argmax(1) != test.labels).float().mean()
        time = seconds[attack, library]
        print(
            f"| {attack} | {library} | {1000 * time:.0f} | {time / seconds['unit']:.1f} | {count} | {wrong:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
