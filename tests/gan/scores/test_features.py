import pytest
import torch
from torch import nn

from lecture13.gan.scores import Features, Logits, embed


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3, stride=2), nn.Flatten()
    )


IMAGES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_vectors_are_the_maps_means_layer_after_layer():
    model = net().eval()
    with torch.no_grad():
        early, late = model[:3](IMAGES), model[:4](IMAGES)
        found = Features(model, ("2", "3"), name="two layers")(IMAGES)
    torch.testing.assert_close(found, torch.cat([early.mean((2, 3)), late.mean((2, 3))], dim=1))


def test_unpooled_vectors_weigh_layers_alike():
    model = net().eval()
    with torch.no_grad():
        found = Features(model, ("2", "3"), name="two layers", pooled=False)(IMAGES)
        layers = [model[:3](IMAGES).flatten(1), model[:4](IMAGES).flatten(1)]
    torch.testing.assert_close(found.square().sum(1), torch.ones(6))
    cosines = torch.stack([nn.functional.cosine_similarity(layer[0], layer[1], dim=0) for layer in layers])
    assert (found[0] - found[1]).square().sum().item() == pytest.approx((2 - 2 * cosines).mean().item(), rel=1e-5)


def test_the_net_stops_after_its_last_layer_and_stays_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.5), nn.Linear(1, 1))  # the last one does not fit
    model[1].eval()
    features = Features(model, "0", name="first")
    assert features(IMAGES).shape == (6, 4)
    assert model.training and not model[1].training and model[0].training
    assert not any(module._forward_hooks for module in model.modules())


def test_dropout_and_batch_statistics_are_off():
    model = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(3))
    features = Features(model.train(), "1", name="x")
    torch.testing.assert_close(features(IMAGES), features(IMAGES[:, :, :, :]))
    torch.testing.assert_close(features(IMAGES)[:2], features(IMAGES[:2]))
    assert model[1].running_mean.eq(0).all()


@pytest.mark.parametrize("layers", ["7", "", (), ("2", "seven")])
def test_unknown_layers_are_refused(layers):
    with pytest.raises(ValueError, match="layer"):
        Features(net(), layers, name="x")


def test_embedding_is_the_same_in_any_batches_and_from_bytes():
    features = Features(net(), "2", name="x")
    torch.testing.assert_close(embed(IMAGES, features, batch=4), embed(IMAGES, features))
    bytes_ = IMAGES.mul(255).round().byte()
    torch.testing.assert_close(embed(bytes_, features), embed(bytes_.float() / 255, features))
    vectors = torch.randn(3, 2)
    assert embed(vectors, features) is vectors


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.zeros(0, 3, 8, 8), "shape"),
        (torch.zeros(3, 8, 8), "shape"),
        (torch.full((2, 3, 8, 8), torch.nan), "NaN"),
        (torch.full((2, 3, 8, 8), -0.5), "from -0.5 to -0.5; expected"),
        (torch.full((2, 3, 8, 8), 255.0), "from 255 to 255"),
        (torch.full((2, 4), torch.inf), "NaN or infinity"),
        (torch.zeros(0, 4), "shape"),
    ],
)
def test_bad_images_are_refused(images, said):
    with pytest.raises(ValueError, match=said):
        embed(images, Features(net(), "2", name="x"))


def test_a_net_without_vectors_is_refused():
    with pytest.raises(ValueError, match=r"features of shape \(6, 4, 8, 8\)"):
        embed(IMAGES, Logits(net()[:3], name="maps"))
