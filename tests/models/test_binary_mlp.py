import torch

from lecture13.models.binary_mlp import binary_mlp


def test_its_softmax_is_the_sigmoid_of_one_score():
    torch.manual_seed(0)
    net, images = binary_mlp(hidden=4), torch.rand(3, 1, 28, 28)
    hidden = torch.relu(images.flatten(1) @ net[1].weight.T + net[1].bias)
    score = (hidden @ net[3].weight.T + net[3].bias)[:, 0]
    torch.testing.assert_close(net(images).softmax(1)[:, 1], score.sigmoid())


def test_it_counts_its_parameters():
    trained = [parameter for parameter in binary_mlp().parameters() if parameter.requires_grad]
    assert sum(parameter.numel() for parameter in trained) == 784 * 10 + 10 + 10 + 1 == 7861
