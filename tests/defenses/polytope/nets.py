"""Random small networks of every supported layer, and images for them."""

import itertools

import torch
from torch import nn

from lecture13.models.normalize import Normalize


def mlp(seed, widths=(6, 8, 7, 4), dtype=torch.float64, scale=1.0):
    torch.manual_seed(seed)
    layers = []
    for taken, given in itertools.pairwise(widths):
        layers += [nn.Linear(taken, given), nn.ReLU()]
    return _scaled(nn.Sequential(*layers[:-1]), scale).to(dtype)


#: kinds of convolutional networks on (2, 8, 9) images
CONVOLUTIONS = {
    "plain": lambda: [nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)],
    "strided": lambda: [
        *(nn.Conv2d(2, 4, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 3, (3, 2), stride=(1, 2), padding=(0, 1))),
        *(nn.ReLU(), nn.Flatten(), nn.LazyLinear(5), nn.ReLU(), nn.Linear(5, 3)),
    ],
    "dilated": lambda: [
        *(Normalize([0.4, 0.5], [0.3, 0.2]), nn.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2), nn.ReLU()),
        *(nn.Conv2d(4, 4, 2, padding="same", groups=2, bias=False), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)),
    ],
    "pooled": lambda: [
        *(nn.Conv2d(2, 3, 3, padding="same"), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(3, 4, 2), nn.ReLU()),
        *(
            nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
            nn.Flatten(),
            nn.LazyLinear(3),
        ),
    ],
    "global": lambda: [
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU()),
        nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.Conv2d(5, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 2))),
        nn.Sequential(nn.Sequential(nn.Flatten(), nn.LazyLinear(3))),
    ],
    "deep": lambda: [
        *(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1, stride=2), Normalize([0.1], [0.7])),
        *(nn.ReLU(), nn.Conv2d(3, 2, 2), nn.ReLU(), nn.Flatten(2), nn.Flatten(), nn.LazyLinear(3), nn.ReLU()),
    ],
}


def convnet(kind, seed=0, dtype=torch.float64, scale=1.0):
    torch.manual_seed(seed)
    network = nn.Sequential(*CONVOLUTIONS[kind]())
    network(torch.zeros(1, 2, 8, 9))
    return _scaled(network, scale).to(dtype)


def _scaled(network, scale):
    """Weights larger than at the start, so that bounds and attacks differ, and biases that make dead and live units."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.weight.mul_(scale)
    return network


def pixels(network, count=3, seed=0):
    """Random images in [0, 1] that fit, and labels."""
    first = next(network.parameters())
    flat = isinstance(next(layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)), nn.Linear)
    generator = torch.Generator().manual_seed(seed)
    shape = (first.shape[1],) if flat else (2, 8, 9)
    images = torch.rand(count, *shape, generator=generator, dtype=torch.float64).to(first.dtype)
    with torch.no_grad():
        classes = network(images).shape[1]
    return images, torch.randint(0, classes, (count,), generator=generator)


def before_relus(network, images):
    """The network's values before each ReLU, and its logits."""
    found = []

    def run(layer, x):
        if isinstance(layer, nn.Sequential):
            for inner in layer:
                x = run(inner, x)
            return x
        if isinstance(layer, nn.ReLU):
            found.append(x)
        return layer(x)

    with torch.no_grad():
        found.append(run(network, images))
    return found


def matrices(network, image):
    """The affine maps between the ReLUs as dense matrices ``ẑ = W·z + b``, found by asking the layers themselves."""
    found, segment, x = [], [], image[None]

    def close():
        nonlocal x, segment
        run = nn.Sequential(*segment)
        with torch.no_grad():
            zero, one = torch.zeros_like(x), torch.eye(x.numel(), dtype=x.dtype).view(-1, *x.shape[1:])
            bias = run(zero).flatten()
            found.append(((run(one).flatten(1) - bias).T, bias))
            x, segment = run(x), []

    def walk(layer):
        if isinstance(layer, nn.Sequential):
            for inner in layer:
                walk(inner)
        elif isinstance(layer, nn.ReLU):
            close()
        else:
            segment.append(layer)

    walk(network)
    close()
    return found


def algorithm_1(network, image, epsilon):
    """Algorithm 1 as the paper prints it, with dense matrices: (lower, upper) before each ReLU, logits last."""
    (weight, bias), *rest = matrices(network, image)
    x = image.flatten()
    nu_1, gammas = weight.T, [bias]  # ν̂₁ := W₁ᵀ, γ₁ := b₁ᵀ
    lower = x @ nu_1 + bias - epsilon * nu_1.abs().sum(0)
    upper = x @ nu_1 + bias + epsilon * nu_1.abs().sum(0)
    bounds, nus = [(lower, upper)], []  # ν_{j, I_j} with the ℓ of its unstable units
    for weight, bias in rest:
        unstable, active = (lower < 0) & (upper > 0), lower >= 0
        slope = torch.where(unstable, upper / (upper - lower), active.to(upper))
        nus.append((lower[unstable], torch.diag(slope)[unstable]))
        nus = [(low, nu @ (weight.T if nu is nus[-1][1] else torch.diag(slope) @ weight.T)) for low, nu in nus]
        gammas = [gamma @ torch.diag(slope) @ weight.T for gamma in gammas] + [bias]
        nu_1 = nu_1 @ torch.diag(slope) @ weight.T
        psi = x @ nu_1 + sum(gammas)
        lower = psi - epsilon * nu_1.abs().sum(0) + sum(low @ (-nu).clamp(min=0) for low, nu in nus)
        upper = psi + epsilon * nu_1.abs().sum(0) - sum(low @ nu.clamp(min=0) for low, nu in nus)
        bounds.append((lower, upper))
    return bounds
