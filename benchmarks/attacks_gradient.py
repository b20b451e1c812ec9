r"""FGSM and PGD beside Foolbox and torchattacks: one net, the same images, both sides in one run.

    python -m pip install --no-deps --target /tmp/attack-libraries \
        foolbox==3.3.4 eagerpy==0.30.0 gitpython gitdb smmap torchattacks==3.5.1
    OMP_NUM_THREADS=1 PYTHONPATH=.:/tmp/attack-libraries python benchmarks/attacks_gradient.py

(`--target` keeps them out of the course's environment, `--no-deps` keeps their torch out.) The unit is the CPU time of
one forward pass and input gradient of the same batch, as `unit` computes it; each number is a median.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks, data, evaluation, models

EPSILON, STEPS = 0.1, 40


def cpu_seconds(runs: dict[str, Callable[[], Tensor]], repeats: int) -> dict[str, float]:
    """Median CPU time of each, run in turn, so that a busy moment of the machine meets all of them."""
    times = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if repeat:  # the first round warms up
                times[name].append(time.process_time() - start)
    return {name: median(found) for name, found in times.items()}


def unit(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """One forward pass and input gradient: eval mode, parameters frozen, the summed cross-entropy."""
    inputs = images.clone().requires_grad_()
    return torch.autograd.grad(cross_entropy(model(inputs), labels, reduction="sum"), inputs)[0]


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


def trained_lenet(steps: int) -> tuple[nn.Module, data.Dataset]:
    """A LeNet trained on scikit-learn's digits at 28×28, and the digits it has not seen."""
    torch.manual_seed(0)
    model, train = models.lenet(), data.load("digits", "train", size=28)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(steps):
        index = torch.randint(len(train), (64,))
        optimizer.zero_grad()
        cross_entropy(model(train.images[index]), train.labels[index]).backward()
        optimizer.step()
    return model.eval(), data.load("digits", "test", size=28)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--training-steps", type=int, default=200)
    options = parser.parse_args()
    model, test = trained_lenet(options.training_steps)
    test = test.take(options.images)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    one = partial(unit, model, test.images, test.labels)
    print(f"{platform.machine()}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, LeNet, {test.source}")
    print(f"{len(test)} images, clean error {evaluation.error(model, test):.1%}, medians of {options.repeats} rounds\n")
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
