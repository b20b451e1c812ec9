import pytest
import torch
from torch import nn

from lecture13 import models

#: What each net is fed in these tests.
SHAPES = {
    "lenet": (1, 28, 28),
    "fc500_150_10": (1, 28, 28),
    "small_convnet": (1, 28, 28),
    "scene_classifier": (3, 32, 32),
    "segmenter": (3, 32, 32),
    "sign_classifier": (3, 32, 32),
    "small_alexnet": (3, 32, 32),
    "small_vgg": (3, 32, 32),
    "small_resnet": (3, 32, 32),
    "small_inception": (3, 32, 32),
    "small_mlp": (3, 32, 32),
    "lenet_cifar10": (3, 32, 32),
    "nin": (3, 32, 32),
    "gtsrb_cnn": (3, 32, 32),
    "maxout": (1, 28, 28),
    "shallow_softmax": (1, 28, 28),
}


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def expected_shape(name: str, count: int) -> tuple[int, ...]:
    classes = {"scene_classifier": 6, "segmenter": 11, "sign_classifier": 17, "gtsrb_cnn": 43}.get(name, 10)
    return (count, classes, *SHAPES[name][1:]) if name == "segmenter" else (count, classes)


def test_every_name_is_known_here():
    assert set(models.names()) == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_logits_in_every_precision_and_layout(name, dtype, layout):
    torch.manual_seed(0)
    net = models.build(name).eval()
    images = torch.rand(2, *SHAPES[name])
    with torch.no_grad():
        expected = net(images)
        logits = net.to(dtype=dtype, memory_format=layout)(images.to(dtype=dtype, memory_format=layout))
    assert expected.shape == logits.shape == expected_shape(name, 2)
    assert logits.dtype == dtype
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 0.05, torch.float16: 0.01}[dtype]
    assert torch.allclose(logits.float(), expected, atol=tolerance * expected.abs().max().item())


@pytest.mark.parametrize("name", SHAPES)
def test_one_image_gives_what_the_batch_gives(name):
    torch.manual_seed(0)
    net = models.build(name).eval()
    images = torch.rand(3, *SHAPES[name])
    with torch.no_grad():
        assert torch.allclose(net(images)[1:2], net(images[1:2]), atol=1e-5)


def test_lenet_counts_parameters_as_caffe_does():
    # 20 filters of 5×5 on 1 channel; 50 of 5×5 on 20; 28 → 24 → 12 → 8 → 4; 500 hidden; 10 logits
    closed_form = (20 * 25 + 20) + (50 * 20 * 25 + 50) + (50 * 4 * 4 * 500 + 500) + (500 * 10 + 10)
    assert parameters(models.lenet()) == closed_form == 431_080


def test_lenet_on_colour_images_of_32_pixels():
    closed_form = (20 * 3 * 25 + 20) + (50 * 20 * 25 + 50) + (50 * 5 * 5 * 500 + 500) + (500 * 10 + 10)
    net = models.lenet(in_channels=3, size=32)
    assert parameters(net) == closed_form
    assert net(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_lenet_refuses_images_that_are_too_small():
    with pytest.raises(ValueError, match=r"size is 15.*16"):
        models.lenet(size=15)
    assert models.lenet(size=16)(torch.rand(1, 1, 16, 16)).shape == (1, 10)


def test_gtsrb_cnn_counts_its_parameters():
    colour, before = 3 * 3 + 3, (3, 32, 32, 64, 64, 128)
    convolutions = sum(25 * i * o + o for i, o in zip(before, (32, 32, 64, 64, 128, 128), strict=True))
    seen = 32 * 16**2 + 64 * 8**2 + 128 * 4**2  # every module's output, pooled to 16², 8² and 4²
    linear = (seen + 1) * 1024 + 1025 * 1024 + 1025 * 43
    assert parameters(models.gtsrb_cnn()) == colour + convolutions + linear
    norms = 2 * (32 + 32 + 64 + 64 + 128 + 128) - (32 + 32 + 64 + 64 + 128 + 128)  # scale and shift, for the bias
    assert parameters(models.gtsrb_cnn(batch_norm=True)) == colour + convolutions + norms + linear


def test_gtsrb_cnn_refuses_other_sizes():
    with pytest.raises(ValueError, match=r"\(2, 3, 64, 64\).*\(N, 3, 32, 32\)"):
        models.gtsrb_cnn()(torch.rand(2, 3, 64, 64))
    with pytest.raises(ValueError, match=r"dropout is 1.*\[0, 1\)"):
        models.gtsrb_cnn(dropout=1)


def test_fc500_150_10_counts_its_parameters():
    assert parameters(models.fc500_150_10()) == 785 * 500 + 501 * 150 + 151 * 10 == 469_160


def test_small_convnet_is_wong_and_kolters():
    closed_form = (16 * 16 + 16) + (32 * 16 * 16 + 32) + (32 * 7 * 7 * 100 + 100) + (100 * 10 + 10)
    assert parameters(models.small_convnet()) == closed_form == 166_406
    kinds = {type(layer) for layer in models.small_convnet()}
    assert kinds == {models.Normalize, nn.Conv2d, nn.ReLU, nn.Flatten, nn.Linear}  # what linear bounds can cross


@pytest.mark.parametrize("size", [2, 30])
def test_small_convnet_refuses_sizes_that_strides_do_not_divide(size):
    with pytest.raises(ValueError, match=f"size is {size}.*multiple of 4"):
        models.small_convnet(size=size)


def test_scene_classifier_counts_its_parameters():
    widths = (16, 32, 48, 64, 96)
    before = (3, *widths)
    convolutions = sum(9 * a * b + 9 * b * b for a, b in zip(before, widths, strict=False))
    norms = sum(2 * 2 * b for b in widths)  # two layers a stage, scale and shift a channel
    assert parameters(models.scene_classifier(classes=6)) == convolutions + norms + 96 * 6 + 6


def test_scene_classifier_has_five_named_stages():
    net = models.scene_classifier()
    layers = dict(net.named_children())
    sides = {}
    for stage in range(1, 6):
        for place in (f"{stage}_1", f"{stage}_2"):
            assert {f"conv{place}", f"bn{place}", f"relu{place}"} <= set(layers)
        layers[f"relu{stage}_2"].register_forward_hook(
            lambda _, __, out, stage=stage: sides.update({stage: tuple(out.shape[1:])})
        )
    net(torch.rand(2, 3, 32, 32))
    assert sides == {1: (16, 32, 32), 2: (32, 16, 16), 3: (48, 8, 8), 4: (64, 8, 8), 5: (96, 4, 4)}
    assert net(torch.rand(2, 3, 64, 64)).shape == (2, 6)


def test_scene_classifier_wants_five_widths():
    with pytest.raises(ValueError, match=r"\(16, 32\).*five"):
        models.scene_classifier(widths=(16, 32))


def test_segmenter_counts_its_parameters():
    a, b, c, d = 16, 32, 48, 64
    stages = [(3, a), (a, b), (b, c), (c, d), (d + c, c), (c + b, b), (b + a, a)]
    closed_form = sum(9 * i * o + 9 * o * o + 4 * o for i, o in stages) + a * 11 + 11
    assert parameters(models.segmenter(classes=11)) == closed_form


@pytest.mark.parametrize(("height", "width"), [(8, 8), (64, 64), (24, 40)])
def test_segmenter_takes_any_multiple_of_8(height, width):
    assert models.segmenter(classes=4)(torch.rand(2, 3, height, width)).shape == (2, 4, height, width)


@pytest.mark.parametrize(("height", "width"), [(28, 32), (32, 30)])
def test_segmenter_refuses_other_sizes(height, width):
    with pytest.raises(ValueError, match=rf"{height}×{width}.*multiples of 8"):
        models.segmenter()(torch.rand(1, 3, height, width))


def test_segmenter_wants_four_widths():
    with pytest.raises(ValueError, match=r"\(16,\).*three levels"):
        models.segmenter(widths=(16,))


def test_segmenter_joins_equal_sizes():
    # With the middle silenced, a pixel can reach the logits through the joined levels alone; and it does.
    torch.manual_seed(0)
    net = models.segmenter(classes=4).eval()
    net.middle.register_forward_hook(lambda _, __, out: torch.zeros_like(out))
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(images)[0, :, 5, 5].abs().sum(), images)
    assert gradient[0, :, 5, 5].abs().sum() > 0


def test_sign_classifier_counts_its_parameters():
    pairs = [(3, 16), (16, 32), (32, 64), (64, 96)]
    closed_form = sum(9 * i * o + 2 * o for i, o in pairs) + 4 * 96 * 12 + 12
    assert parameters(models.sign_classifier(classes=12)) == closed_form
    assert models.sign_classifier(classes=43)(torch.rand(2, 3, 48, 48)).shape == (2, 43)


def test_sign_classifier_wants_widths():
    with pytest.raises(ValueError, match="widths is empty"):
        models.sign_classifier(widths=())


def test_normalisation_is_the_first_layer():
    for name in models.names():
        first = next(models.build(name).children())
        assert isinstance(first, models.Normalize), name


def test_normalize_is_the_formula():
    mean, std = (0.4, 0.5, 0.6), (0.1, 0.2, 0.3)
    images = torch.rand(4, 3, 5, 5)
    out = models.Normalize(mean, std)(images)
    for channel in range(3):
        assert torch.allclose(out[:, channel], (images[:, channel] - mean[channel]) / std[channel])


def test_normalize_is_a_setting_and_not_a_weight():
    assert not models.Normalize([0.5], [0.25]).state_dict()
    assert "0.25" in repr(models.Normalize([0.5], [0.25]))


@pytest.mark.parametrize(("mean", "std"), [((0.5,), (0.0,)), ((0.5,), (-1.0,)), ((0.5,), (1.0, 1.0)), ((), ())])
def test_normalize_refuses_what_cannot_be(mean, std):
    with pytest.raises(ValueError, match="std"):
        models.Normalize(mean, std)


def test_unknown_names_and_options_list_the_known_ones():
    with pytest.raises(ValueError, match=r"'resnet'; known: lenet, fc500_150_10"):
        models.build("resnet")
    with pytest.raises(ValueError, match=r"'lenet' has no option 'width'; it has classes, in_channels, size"):
        models.build("lenet", width=3)


def test_options_reach_the_builder():
    assert models.build("lenet", classes=7, in_channels=3, size=32)(torch.rand(1, 3, 32, 32)).shape == (1, 7)
