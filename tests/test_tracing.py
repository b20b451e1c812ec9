import pytest
import torch
from torch import nn

from lecture13.dissection import activations, trace
from lecture13.tracing import batches


def net():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Conv2d(4, 5, 3), nn.Flatten()
    )
    model[1].eval()
    model[0].bias.requires_grad_(False)
    model[4].weight.grad = torch.ones_like(model[4].weight)
    return model


IMAGES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_activations_are_read_and_the_model_runs_on():
    model = net().eval()
    with trace(model, "2", "4") as seen:
        found = model(IMAGES)
    assert torch.equal(found, model(IMAGES)) and list(seen) == ["2", "4"] and len(seen) == 2
    assert torch.equal(seen["2"], model[:3](IMAGES)) and torch.equal(seen["4"], model[:5](IMAGES))
    assert not seen["4"].requires_grad


def test_a_layer_in_place_does_not_change_what_was_read():
    model = net().eval()
    with trace(model, "1") as seen:
        model(IMAGES)
    assert torch.equal(seen["1"], model[:2](IMAGES)) and seen["1"].min() < 0


def test_edits_reach_the_layers_after():
    model = net().eval()
    with trace(model, "0", edit={"2": lambda a: 2 * a}) as seen:
        found = model(IMAGES)
    assert torch.equal(found, model[3:](2 * model[:3](IMAGES)))
    assert torch.equal(seen["2"], 2 * model[:3](IMAGES)) and torch.equal(seen["0"], model[0](IMAGES))


def test_blocks_nest_from_the_outside_in():
    model = net().eval()
    with trace(model, "2") as outer, trace(model, edit={"2": lambda a: a + 1}), trace(model, "2") as inner:
        model(IMAGES)
    assert torch.equal(inner["2"], outer["2"] + 1)


@pytest.mark.parametrize("frozen", [False, True])
def test_gradients_are_kept_also_in_a_frozen_net_and_before_a_layer_in_place(frozen):
    model = net().eval().requires_grad_(not frozen)
    for parameter in model.parameters():
        parameter.grad = None
    with trace(model, "1", "4", gradients=True) as seen:
        model(IMAGES).square().sum().backward()
    hidden = model[:2](IMAGES).detach().requires_grad_()
    model[2:](hidden.clone()).square().sum().backward()
    torch.testing.assert_close(seen["1"].grad, hidden.grad)
    torch.testing.assert_close(seen["4"].grad, 2 * seen["4"].detach())
    assert all((parameter.grad is None) == frozen for parameter in model[0:1].parameters())


def test_gradients_need_gradients():
    model = net()
    with pytest.raises(RuntimeError, match="gradients=True"), torch.no_grad(), trace(model, "1", gradients=True):
        model(IMAGES)


def test_stop_ends_the_block_after_the_last_layer():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(1, 1))  # the last one does not fit
    with trace(model, "0", "1", stop=True) as seen:
        model(IMAGES)
        pytest.fail("the block went on")
    assert torch.equal(seen["1"], model[:2](IMAGES))
    with trace(model, "1", stop=True) as outer:
        with trace(model, "0"):  # does not swallow the other's end
            model(IMAGES)
        pytest.fail("the outer block went on")
    assert set(outer) == {"1"}


@pytest.mark.parametrize("wrong", ["forward", "edit", "block", "none"])
def test_the_model_is_left_as_it_was(wrong, unchanged):
    model = net()
    check = unchanged(model)

    def edit(a):
        if wrong == "edit":
            raise ArithmeticError
        return a

    def run():
        with torch.no_grad(), trace(model.eval() if wrong == "none" else model, "0", edit={"4": edit}):
            if wrong == "block":
                raise ArithmeticError
            torch.manual_seed(0)
            model(IMAGES[:, :2] if wrong == "forward" else IMAGES)

    modes, state = [module.training for module in model.modules()], torch.get_rng_state()
    if wrong == "none":
        run()
    else:
        with pytest.raises((ArithmeticError, RuntimeError)):
            run()
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    torch.set_rng_state(state)
    check()


def test_unknown_layers_are_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"Sequential has no layer '44' \(did you mean '4'\?\); it has 0, 1, 2, 3"):
        trace(net(), "44").__enter__()
    with pytest.raises(ValueError, match="no layer ''"):
        trace(net(), "").__enter__()
    with pytest.raises(ValueError, match="has no layer 'x'; it has none inside it"):
        trace(nn.ReLU(), "x").__enter__()
    with pytest.raises(ValueError, match="name at least one"):
        trace(net()).__enter__()


def test_what_has_not_run_or_is_not_traced_is_a_key_error():
    with trace(net(), "1") as seen:
        pass
    with pytest.raises(KeyError, match="layer '1' has not run"):
        seen["1"]
    with pytest.raises(KeyError, match="layer '2' is not traced; traced are '1'"):
        seen["2"]
    assert "1" not in seen and seen.get("1") is None


def test_outputs_and_edits_that_are_no_tensor_are_refused():
    lstm = nn.Sequential(nn.LSTM(3, 4))
    with pytest.raises(TypeError, match="layer '0' gives tuple; expected one floating tensor"), trace(lstm, "0"):
        lstm(torch.rand(2, 5, 3))
    model = net().eval()
    for edit, error, said in (
        (lambda a: None, TypeError, "the edit of layer '2' gives NoneType"),
        (lambda a: a[:, :1], ValueError, r"the edit of layer '2' gives shape \(6, 1, 6, 6\); expected \(6, 4, 6, 6\)"),
    ):
        with pytest.raises(error, match=said), trace(model, edit={"2": edit}):
            model(IMAGES)


def test_a_layer_that_runs_twice_is_edited_twice_and_kept_last():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.relu(self.relu(x) - 1)

    with trace(model := Twice(), edit={"relu": lambda a: a + 3}) as seen:
        found = model(torch.tensor([[1.0]]))
    assert found.item() == seen["relu"].item() == 6


def test_batches_run_in_eval_mode_and_leave_the_model_alone_while_they_are_out(unchanged):
    model = net()
    check = unchanged(model)
    parts = []
    for batch in batches(model, IMAGES, "2", "4", batch_size=4):
        check()
        parts.append(batch)
    eval_ = net().eval()
    assert [part.index for part in parts] == [slice(0, 4), slice(4, 6)]
    torch.testing.assert_close(torch.cat([part.activations["4"] for part in parts]), eval_[:5](IMAGES))
    assert parts[0].output is None
    whole = next(batches(model, IMAGES, "2", batch_size=9, outputs=True))
    torch.testing.assert_close(whole.output, eval_(IMAGES))
    torch.testing.assert_close(torch.cat(list(activations(model, IMAGES, "2", batch_size=5))), eval_[:3](IMAGES))
    check()


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_activations_that_are_not_finite_are_named(value, unchanged):
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    images = IMAGES.clone()
    images[5, 0, 3, 3] = value
    with torch.no_grad():
        model[0].weight[0], model[0].weight[1] = 0.0, 1.0
    check = unchanged(model)
    with pytest.raises(ValueError, match=r"layer '0' gives NaN or infinity, first in unit [01] for input 5"):
        list(activations(model, images, "0", batch_size=4))
    check()


def test_large_finite_activations_pass():
    big = torch.full((2, 3, 8, 8), 1e38)  # whose sum is infinite
    assert next(activations(nn.Sequential(nn.ReLU()), big, "0")).amax() == big.amax()


def test_inputs_and_batch_sizes_are_checked():
    with pytest.raises(ValueError, match="no inputs"):
        list(activations(net(), IMAGES[:0], "2"))
    with pytest.raises(ValueError, match="batch_size=0"):
        list(activations(net(), IMAGES, "2", batch_size=0))
    with pytest.raises(ValueError, match=r"gives shape \(6,\); expected units"):
        list(activations(nn.Sequential(nn.Flatten(0)), IMAGES[:, 0, 0, 0], "0"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_inputs_go_where_the_model_is():
    assert next(activations(net().cuda(), IMAGES, "2")).is_cuda
