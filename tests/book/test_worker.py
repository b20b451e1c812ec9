import pytest

from book import worker


class Papermill:
    """A stand-in whose kernel dies a number of times before it answers."""

    def __init__(self, error, times):
        self.error, self.left, self.calls = error, times, 0

    def execute_notebook(self, *paths, **options):
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise self.error


TAKEN = RuntimeError("Kernel died before replying to kernel_info")


@pytest.mark.parametrize(
    ("error", "times", "calls", "fails"),
    [(TAKEN, 0, 1, False), (TAKEN, 2, 3, False), (TAKEN, 3, 3, True), (RuntimeError("Kernel died"), 1, 1, True)],
)
def test_a_kernel_whose_port_was_taken_is_started_again(monkeypatch, tmp_path, error, times, calls, fails):
    stand_in = Papermill(error, times)
    monkeypatch.setattr(worker, "papermill", stand_in)
    if fails:
        with pytest.raises(RuntimeError, match="Kernel died"):
            worker.execute(tmp_path / "a.ipynb", tmp_path / "b.ipynb", {}, str(tmp_path))
    else:
        worker.execute(tmp_path / "a.ipynb", tmp_path / "b.ipynb", {}, str(tmp_path))
    assert stand_in.calls == calls
