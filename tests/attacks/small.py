"""Small classifiers and random images, shared by the tests of attacks."""

import torch
from torch import nn


def linear(classes=4, features=12, seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(features, classes, dtype=dtype))


def convnet(dtype=torch.float32):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(6 * 36, 4)]
    return nn.Sequential(*layers).to(dtype)


def batch(count=7, shape=(3, 8, 8), seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, *shape, generator=generator, dtype=torch.float64).to(dtype)


def predict(model, images):
    model.eval()
    with torch.no_grad():
        return model(images).argmax(1)
