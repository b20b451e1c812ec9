"""Find the errors that an executed notebook hides: inside widgets, on stderr, in HTML.

An exception inside ``interact`` lands in an Output widget's state, which papermill and Jupyter Book take for success.
"""

from nbformat import NotebookNode

WIDGETS = "application/vnd.jupyter.widget-state+json"
TRACEBACK = "Traceback (most recent call last)"


def hidden_errors(notebook: NotebookNode) -> list[str]:
    """One line for each error in the outputs of the cells and in the saved state of the widgets.

    A cell tagged ``raises-exception`` shows its error on purpose, and is passed over.
    """
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", []):
            found += [f"cell {index}: {error}" for output in cell.outputs for error in _errors(output)]
    state = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    for model in state.values():
        outputs = model.get("state", {}).get("outputs", []) if model.get("model_name") == "OutputModel" else []
        found += [f"widget: {error}" for output in outputs for error in _errors(output)]
    return found


def _errors(output: dict) -> list[str]:
    kind = output.get("output_type")
    if kind == "error":
        return [f"{output.get('ename')}: {output.get('evalue')}"]
    if kind == "stream":
        return _in_text(f"{output.get('name')}", output.get("text", ""))
    data = output.get("data", {})
    return [error for mime in ("text/plain", "text/html") for error in _in_text(mime, data.get(mime, ""))]


def _in_text(where: str, text: str | list[str]) -> list[str]:
    text = "".join(text)
    return [f"a traceback on {where}: {text.strip().splitlines()[-1]}"] if TRACEBACK in text else []
