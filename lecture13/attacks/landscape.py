"""The loss over rotation × translation: the surface that a first-order attack on the pose has to climb."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from lecture13 import guard
from lecture13.attacks.checks import check_choice
from lecture13.attacks.gradient import margin_loss
from lecture13.attacks.rigid import check_pictures, rotate_and_translate, set_on_canvas
from lecture13.guard import Model


@torch.inference_mode(False)
def loss_landscape(
    model: Model,
    images: Tensor,
    labels: Tensor,
    angles: Tensor,
    shifts: Tensor,
    *,
    padding: str = "zeros",
    chunk_size: int | None = None,
) -> Tensor:
    """The cross-entropy J of each image at each rotation and left-right translation (Engstrom et al. 2018, Figure 3).

    Args:
        model, images, labels, padding, chunk_size: as in :func:`lecture13.attacks.spatial`.
        angles: float ``(A,)``, degrees, clockwise.
        shifts: float ``(S,)``, pixels to the right.

    Returns:
        ``(N, A, S)``, nats, float32 at least.

    Raises:
        TypeError, ValueError: as :func:`lecture13.attacks.spatial`; angles or shifts that are not finite vectors.
    """
    check_choice("padding", padding, ("zeros", "black-canvas"))
    angles, shifts = (torch.as_tensor(axis) for axis in (angles, shifts))
    for name, axis in (("angles", angles), ("shifts", shifts)):
        if axis.ndim != 1 or not len(axis) or not bool(axis.isfinite().all()):
            raise ValueError(f"{name}={axis.tolist()}; expected one finite number or more, in a row")
    images = check_pictures(images)
    labels = guard.check_labels(labels, images)
    if padding == "black-canvas":
        images = set_on_canvas(model, images, float(angles.abs().max()), (float(shifts.abs().max()), 0.0))
    exact = torch.promote_types(images.dtype, torch.float32)
    poses = torch.cartesian_prod(angles.to(images.device, exact), shifts.to(images.device, exact))
    poses = torch.stack([*poses.unbind(1), torch.zeros_like(poses[:, 0])], dim=1)  # angle, right, down
    loss = torch.empty(len(images), len(poses), dtype=exact, device=images.device)
    with guard.frozen(model, images.device), torch.no_grad():
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            for part in guard.chunks(image.expand(len(poses), *image.shape), chunk_size):
                pose = poses[part]
                moved = rotate_and_translate(image.expand(len(pose), *image.shape), pose[:, 0], pose[:, 1:])
                same = label.expand(len(pose))
                m, _ = margin_loss(guard.logits(model, moved, same), same)
                loss[index, part] = softplus(m)  # J = log(1 + eᵐ)
    return loss.view(len(images), len(angles), len(shifts))
