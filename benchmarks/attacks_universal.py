r"""Universal perturbations beside ART: one net, the same images and norm, both sides in one run.

    python -m pip install --no-deps --target /tmp/attack-libraries adversarial-robustness-toolbox==1.20.1
    OMP_NUM_THREADS=1 PYTHONPATH=.:/tmp/attack-libraries python benchmarks/attacks_universal.py

What counts is the fooling rate on images that the perturbation was not made from, against the predicted class, beside
noise of the same norm.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from lecture13 import attacks, data, zoo


def contenders(model: nn.Module, images: Tensor, epsilon: float, passes: int) -> dict[str, Callable[[], Tensor]]:
    """Name → what makes the perturbation. ART is left out where it is not installed, and the script says so."""
    ours = partial(attacks.universal, model, images, epsilon=epsilon, fooling_rate=1.0, max_passes=passes)
    step = partial(attacks.fgsm, epsilon=epsilon / 20, bounds=None)
    found = {
        "lecture13, DeepFool inside": ours,
        "lecture13, DeepFool inside, an image at a time (Algorithm 1)": partial(ours, batch_size=1),
        "lecture13, FGSM steps of ε/20 inside": partial(ours, attack=step),
        "lecture13, stochastic gradient descent": partial(ours, method="descent"),
        "noise: random signs": lambda: attacks.random_signs(
            model, torch.zeros_like(images[:1]), torch.zeros(1, dtype=torch.int64), epsilon, bounds=None
        ),
    }
    try:
        from art.attacks.evasion import UniversalPerturbation
        from art.estimators.classification import PyTorchClassifier

        classifier = PyTorchClassifier(
            model,
            loss=nn.CrossEntropyLoss(),
            input_shape=tuple(images.shape[1:]),
            nb_classes=model(images[:1]).shape[1],
            clip_values=(0, 1),
            device_type="cpu",
        )

        def with_art(batch_size: int) -> Tensor:
            attack = UniversalPerturbation(
                classifier,
                attacker="deepfool",
                attacker_params={"max_iter": 10, "verbose": False},
                delta=0.0,
                max_iter=passes,
                eps=epsilon,
                norm="inf",
                batch_size=batch_size,
                verbose=False,
            )
            attack.generate(images.numpy())
            return torch.from_numpy(attack.noise).view(1, *images.shape[1:]).to(images)

        found["ART, DeepFool inside, 32 images at a time"] = partial(with_art, 32)
    except ImportError as error:
        print(f"ART is left out: {error}", file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", default="sign-classifier")
    parser.add_argument("--data", default="signs")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--held-out", type=int, default=400)
    parser.add_argument("--passes", type=int, default=5)
    options = parser.parse_args()
    model = zoo.load(options.net)
    train = data.load(options.data, "train").take(options.images)
    test = data.load(options.data, "test").take(options.held_out)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    epsilon = 10 / 255
    print(f"{platform.machine()}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, {options.net}")
    print(f"{len(train)} images of {train.source}; {len(test)} held out; ξ = 10/255 (ℓ∞), {options.passes} passes\n")
    print("| perturbation | CPU seconds | fooled | fooled, held out |")
    print("|---|---|---|---|")
    for name, run in contenders(model, train.images, epsilon, options.passes).items():
        torch.manual_seed(0)
        start = time.process_time()
        v = run()
        seconds = time.process_time() - start
        assert v.abs().max() <= epsilon + 1e-6, name
        seen, unseen = (attacks.measure_fooling(model, part.images, v) for part in (train, test))
        print(f"| {name} | {seconds:.1f} | {seen:.1%} | {unseen:.1%} |", flush=True)


if __name__ == "__main__":
    main()
