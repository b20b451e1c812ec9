"""What the drawn worlds share: numbered images, drawn in chunks with a progress bar, classes in turn."""

from collections.abc import Iterator

from torch import Tensor
from tqdm import tqdm

from lecture13.render.chance import Chance

CHUNK_PIXELS = 512 * 32 * 32  # painted at once: enough to make calls cheap, little enough for the cache


def check(count: int, size: int, seed: int, first: int) -> None:
    """Whether a drawing can be asked for.

    Raises:
        ValueError: naming the value and what was expected.
    """
    wanted = {"count": (count, 0, 2**32), "size": (size, 8, 1024), "seed": (seed, 0, 2**32), "first": (first, 0, 2**32)}
    for name, (value, low, high) in wanted.items():
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value < high:
            raise ValueError(f"{name}={value!r}: expected a whole number from {low} to {high - 1}")
    if first + count > 2**32:
        raise ValueError(f"first={first}, count={count}: the images of a seed are numbered below 2**32")


def classes_in_turn(seed: int, first: int, count: int, classes: int) -> Tensor:
    """Labels (count,): every run of ``classes`` images from a multiple of it on holds each class once, shuffled."""
    start, stop = first // classes, -(-(first + count) // classes)
    order = Chance.of_images(seed, start, stop - start).fork("class").uniform("order", shape=(classes,)).argsort(1)
    return order.reshape(-1)[first - start * classes :][:count]


def chunks(count: int, size: int, what: str, progress: bool) -> Iterator[slice]:
    """Slices of count images, some megapixels each, under a progress bar ("drawing <what>s") if wanted."""
    step = max(1, CHUNK_PIXELS // size**2)
    # TQDM_DISABLE decides where nothing is said, so disable= may only be given to switch it off.
    bar = tqdm(total=count, desc=f"drawing {what}s", unit=what, **({} if progress else {"disable": True}))
    with bar:
        for low in range(0, count, step):
            part = slice(low, min(low + step, count))
            yield part
            bar.update(part.stop - low)
