"""What tests of several rooms ask for."""

import pytest
import torch


def fingerprint(model):
    return (
        [(module.training, len(module._forward_hooks), len(module._forward_pre_hooks)) for module in model.modules()],
        [(p.requires_grad, None if p.grad is None else p.grad.tolist()) for p in model.parameters()],
        {name: values.clone().tolist() for name, values in model.state_dict().items()},
        torch.get_rng_state().tolist(),
    )


@pytest.fixture
def unchanged():
    """unchanged(model) → a function that asserts that the model is as it was."""

    def remember(model):
        before = fingerprint(model)

        def check():
            assert fingerprint(model) == before

        return check

    return remember
