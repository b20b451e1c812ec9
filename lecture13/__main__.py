"""The command line: ``python -m lecture13`` lists its commands.

Imports nothing but the standard library until a command needs more, since ``doctor`` runs where all else is missing.
"""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from lecture13 import doctor

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m lecture13", description="The course's command line.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    command = commands.add_parser("zoo", help="list the nets: what they are, how good, how large")
    command.set_defaults(run=_zoo)

    command = commands.add_parser("train", help="train a net of the zoo; resumable")
    command.add_argument("name", metavar="NAME", help="one that `zoo` lists")
    command.add_argument("--folder", type=Path, help="where the checkpoint, the weights and the card go (the cache)")
    command.add_argument("--profile", help="smoke, laptop or full ($LECTURE13_PROFILE, else laptop); smoke is a trial")
    command.add_argument("--device", help="cpu, cuda, cuda:1, mps (the best there is)")
    command.add_argument("--precision", choices=PRECISIONS, help="what to compute in (bf16-mixed where that is fast)")
    command.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    command.add_argument("--steps", type=_positive, help="fewer than the recipe's, for a trial")
    command.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    command.set_defaults(run=_train)

    command = commands.add_parser("doctor", help="what is installed, downloaded, missing, and what to do about it")
    command.add_argument(
        "--install-missing", action="store_true", help="install missing packages; torch stays as it is"
    )
    command.set_defaults(run=_doctor)

    options = parser.parse_args(arguments)
    if "run" not in options:
        parser.print_help()
        return 0
    try:
        return options.run(options)
    except ModuleNotFoundError as error:
        print(f"{error}. What is missing: python -m lecture13 doctor", file=sys.stderr)
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:  # all say what to do
        print(error, file=sys.stderr)
    return 1


def _zoo(options: argparse.Namespace) -> int:
    from lecture13 import zoo

    rows = [("net", "metric", "value", "on", "parameters", "file")]
    for name in zoo.names():
        try:
            card = zoo.card(name)
        except FileNotFoundError:
            rows.append((name, "not trained yet", "", "", "", ""))
            continue
        size = f"{card.bytes / 1000:.0f} kB"
        rows.append((name, card.metric, card.shown, f"{card.n} of {card.measured_on}", f"{card.parameters:,}", size))
    _table(rows)
    return 0


def _train(options: argparse.Namespace) -> int:
    from lecture13 import zoo
    from lecture13.profile import use

    run = use(options.profile, device=options.device, seed=options.seed)
    checkpoint = zoo.checkpoint_path(options.name, options.folder)
    steps = options.steps or run["zoo.train_steps"]
    again = f"python -m lecture13 train {_arguments(options, run)} --resume"
    print(f"{options.name}: {run.label}, seed {run.seed}. Checkpoint: {checkpoint}")
    print(f"To go on after a stop: {again}", flush=True)
    try:
        card = zoo.train(
            options.name,
            folder=options.folder,
            device=run.device,
            precision=options.precision or run.precision,
            seed=run.seed,
            steps=steps,
            examples=run["zoo.train_examples"],
            resume=options.resume,
        )
    except KeyboardInterrupt:
        kept = f"What is saved is in {checkpoint}." if checkpoint.exists() else "No checkpoint was written yet."
        print(f"\nStopped. {kept} To go on: {again}", file=sys.stderr)
        return 130
    weights = checkpoint.with_suffix(".safetensors")
    print(f"{card.metric} {card.shown} on {card.n} of {card.measured_on}, after {card.seconds:.0f} s")
    print(f'Weights: {weights}. Load them: zoo.load("{card.name}", folder=Path({str(weights.parent)!r}))')
    return 0


def _doctor(options: argparse.Namespace) -> int:
    if options.install_missing:
        return doctor.install_missing(lambda line: print(line, flush=True))
    fine = True
    for good, what, how in doctor.examine():
        head = f"{'ok' if good else '!!'}  {what}: "
        print(textwrap.fill(head + how, 110, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False))
        fine = fine and good
    return 0 if fine else 1


def _arguments(options: argparse.Namespace, run) -> str:
    given = {"folder": options.folder, "steps": options.steps, "seed": options.seed or None}
    given |= {"profile": run.name, "device": run.device, "precision": options.precision or run.precision}
    return " ".join([options.name, *(f"--{key} {value}" for key, value in given.items() if value is not None)])


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
