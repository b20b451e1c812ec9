"""What the drawn worlds share: numbered images, drawn in chunks with a progress bar, classes in turn."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
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


def paint_in_chunks(paint: Callable[[slice], None], count: int, size: int, what: str, progress: bool) -> None:
    """Call ``paint(part)`` for slices of count images, under a bar ("drawing <what>s") if wanted.

    Each of torch's threads takes a chunk of its own: a chunk is thousands of small operations, and threads that meet
    after each one spend more time meeting than painting (seven times more on a busy machine).
    """
    threads = torch.get_num_threads()
    step = max(1, min(CHUNK_PIXELS // size**2, -(-count // threads)))
    parts = [slice(low, min(low + step, count)) for low in range(0, count, step)]
    # TQDM_DISABLE decides where nothing is said, so disable= may only be given to switch the bar off.
    bar = tqdm(total=count, desc=f"drawing {what}s", unit=what, delay=2, **({} if progress else {"disable": True}))
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        with bar:
            for part, _ in zip(parts, pool.map(paint, parts), strict=True):
                bar.update(part.stop - part.start)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # the matrix library's number is the process's, not the thread's
