"""A batch of canvases, painted from far to near, two samples per pixel and axis.

Every sample holds a colour and the number of the region last painted there. A thing is painted on a :class:`Patch`,
the part of the canvas around it, cut out of each image that has one and put back: a small tree costs little, and an
absent one nothing.
"""

import torch
from torch import Tensor

SAMPLES = 2  # per pixel and axis


class Canvas:
    """n square canvases of ``size`` pixels: colours (3, n · H · W + 1) and regions, H = W = 2 · size samples.

    ``light`` (3, n, 1, 1) multiplies what is painted, ``haze`` (3, n, 1, 1) is the colour that distance fades into,
    ``grain`` (n, H, W) fine and ``mottle`` (n, H, W) coarse noise in [−1, 1], the texture of everything.
    """

    def __init__(self, count: int, size: int, light: Tensor, haze: Tensor, grain: Tensor, mottle: Tensor) -> None:
        self.count, self.size, self.side = count, size, SAMPLES * size
        self.pitch = 1 / self.side
        samples = count * self.side**2
        self.colours = torch.zeros(3, samples + 1)  # the last sample is the waste basket, see Patch
        self.regions = torch.zeros(samples + 1, dtype=torch.uint8)
        self.light, self.haze, self.grain, self.mottle = light, haze, grain, mottle

    def frame(self, images: Tensor | None = None) -> "Patch":
        """The whole canvas of the images (all of them if None)."""
        every = images is None
        if every:
            images = torch.arange(self.count)
        zero, one = torch.zeros(len(images)), torch.ones(len(images))
        return Patch(self, images, zero, zero, one, one, whole=every)

    def patch(self, images: Tensor, left: Tensor, top: Tensor, right: Tensor, bottom: Tensor) -> "Patch":
        """The rectangle left … right × top … bottom (n,), in canvas sides, of each of the images (n,)."""
        return Patch(self, images, left.flatten(), top.flatten(), right.flatten(), bottom.flatten())

    def images(self) -> Tensor:
        """The pixels: the mean of their samples, (n, 3, size, size)."""
        samples = self.colours[:, :-1].view(3, self.count, self.size, SAMPLES, self.size, SAMPLES)
        rows = samples[:, :, :, 0] + samples[:, :, :, 1]
        return ((rows[..., 0] + rows[..., 1]) / SAMPLES**2).transpose(0, 1)

    def majority(self) -> Tensor:
        """The region of most of a pixel's samples, (n, size, size) uint8; among equals, the nearest."""
        quad = self.regions[:-1].view(self.count, self.size, 2, self.size, 2)
        samples = [quad[:, :, i, :, j] for i in (0, 1) for j in (0, 1)]
        best = torch.zeros_like(samples[0])
        for a in samples:
            votes = sum((a == b).to(torch.uint8) for b in samples) - 1  # 0 … 3, by the others
            best = torch.maximum(best, votes * 64 + a)
        return best % 64


class Patch:
    """A rectangle of samples cut out of each of n canvases, to be painted on and put back with :meth:`done`.

    x (n, 1, w) and y (n, h, 1) are the samples' centres in canvas sides, (0, 0) the upper left corner.
    """

    def __init__(
        self,
        canvas: Canvas,
        images: Tensor,
        left: Tensor,
        top: Tensor,
        right: Tensor,
        bottom: Tensor,
        whole: bool = False,
    ) -> None:
        side, n = canvas.side, len(images)
        self.canvas, self.images, self.pitch = canvas, images, canvas.pitch
        # One common size, so that the batch stays a tensor: the largest wanted.
        spans = [((a * side).floor().long(), (b * side).ceil().long()) for a, b in ((left, right), (top, bottom))]
        starts, sizes = [], []
        for low, high in spans:
            low, high = low.clamp(0, side - 1), high.clamp(1, side)
            sizes.append(int((high - low).amax().clamp(min=1)) if n else 1)
            starts.append(torch.minimum(low, torch.tensor(side - sizes[-1])))
        (self.width, self.height), (x0, y0) = sizes, starts
        columns, rows = x0[:, None] + torch.arange(self.width), y0[:, None] + torch.arange(self.height)
        self.x = ((columns + 0.5) * canvas.pitch)[:, None, :]
        self.y = ((rows + 0.5) * canvas.pitch)[:, :, None]
        if whole:  # no copy
            self.index = None
            self.colours = canvas.colours[:, :-1].view(3, n, side, side)
            self.regions = canvas.regions[:-1].view(n, side, side)
            self.grain, self.mottle = canvas.grain, canvas.mottle
        else:
            self.index = (images[:, None, None] * side + rows[:, :, None]) * side + columns[:, None, :]
            shape = self.index.shape
            self.grain, self.mottle = (noise.view(-1)[self.index] for noise in (canvas.grain, canvas.mottle))
            # Samples outside a thing's own rectangle belong to the common size: what is painted there goes to the waste
            # basket, so that no picture depends on who shares its batch.
            (x_low, x_high), (y_low, y_high) = ((low[:, None], high[:, None]) for low, high in spans)
            inside_x = (columns >= x_low) & (columns < x_high)
            inside_y = (rows >= y_low) & (rows < y_high)
            inside = inside_y[:, :, None] & inside_x[:, None, :]
            self.index = torch.where(inside, self.index, canvas.count * side**2).reshape(-1)
            self.colours = canvas.colours.index_select(1, self.index).view(3, *shape)
            self.regions = canvas.regions.index_select(0, self.index).view(shape)
        self.light, self.haze = canvas.light[:, images], canvas.haze[:, images]

    def paint(
        self, cover: Tensor, colour: Tensor, region: int | Tensor, *, far: Tensor | float = 0.0, glows: bool = False
    ) -> None:
        """Paint where ``cover`` (n, h, w) says: colour (3, n, h, w) or broadcast, lit by the canvas unless it glows.

        ``far`` in [0, 1] fades it into the haze. The region is taken where more than half is covered.
        """
        if not glows:
            colour = colour * self.light
            if not isinstance(far, float) or far:
                colour = colour + far * (self.haze - colour)
        self.colours = torch.lerp(self.colours, colour.expand_as(self.colours), cover.expand_as(self.colours))
        region = torch.as_tensor(region, dtype=torch.uint8)
        self.regions = torch.where(cover > 0.5, region, self.regions)

    def shade(self, cover: Tensor, strength: Tensor | float) -> None:
        """Darken without changing what is there: a shadow, coverage (n, h, w)."""
        self.colours = self.colours * (1 - cover * strength)

    def done(self) -> None:
        """Put the patch back into the canvas."""
        if self.index is None:
            self.canvas.colours[:, :-1] = self.colours.reshape(3, -1)
            self.canvas.regions[:-1] = self.regions.reshape(-1)
        else:
            self.canvas.colours.index_copy_(1, self.index, self.colours.reshape(3, -1))
            self.canvas.regions.index_copy_(0, self.index, self.regions.reshape(-1))
