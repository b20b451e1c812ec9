import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book.scan import WIDGETS, hidden_errors

ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "hidden", "traceback": []}
TRACE = "Traceback (most recent call last):\n  …\nValueError: hidden"
PRINTED = {"output_type": "stream", "name": "stderr", "text": TRACE}
HTML = {"output_type": "display_data", "data": {"text/html": "<pre>Traceback (most recent call last)</pre>"}}


def with_widget(*outputs, model="OutputModel"):
    state = {"state": {"a1": {"model_name": model, "state": {"outputs": list(outputs)}}}}
    return new_notebook(metadata={"widgets": {WIDGETS: state}})


@pytest.mark.parametrize("output", [ERROR, PRINTED, HTML])
def test_errors_in_widgets_are_found(output):
    (found,) = hidden_errors(with_widget(output))
    assert found.startswith("widget: ")


@pytest.mark.parametrize("output", [ERROR, PRINTED, HTML])
def test_errors_in_cells_are_found_unless_they_are_meant(output):
    outputs = [new_output(**{"metadata": {}, **output}) if output is HTML else new_output(**output)]
    cell = new_code_cell("draw()", outputs=outputs)
    (found,) = hidden_errors(new_notebook(cells=[cell]))
    assert found.startswith("cell 0: ")
    cell.metadata.tags = ["raises-exception"]
    assert hidden_errors(new_notebook(cells=[cell])) == []


def test_what_is_in_order_is_left_alone():
    figure = {"output_type": "display_data", "data": {"image/png": "…", "text/plain": "<Figure>"}}
    assert hidden_errors(with_widget(figure)) == []
    assert hidden_errors(with_widget(model="IntSliderModel")) == []
    assert hidden_errors(new_notebook(cells=[new_code_cell("1", outputs=[new_output("stream", text="fine")])])) == []
