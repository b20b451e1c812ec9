"""Every page, in the browser: no errors, no request that leaves, formulas typeset, images described, axe-core clean."""

import re

import pytest

from book.stage import SMOKE_BANNER


def test_loads_without_errors(visit, page_path, origin):
    seen = visit(origin, page_path)
    assert not seen.errors
    assert not seen.missing


def test_makes_no_remote_request(visit, page_path, origin):
    assert not visit(origin, page_path).remote


def test_typesets_its_formulas(visit, page_path, origin):
    seen = visit(origin, page_path)
    assert seen.typeset == seen.formulas
    assert not seen.formula_errors
    assert not re.findall(r"\$[^$\n]{1,80}\$", seen.prose), "a formula that stayed raw"


def test_describes_its_images(visit, page_path):
    for image in visit("file", page_path).images:
        assert not image["broken"], image
        assert image["alt"] is not None, image
        assert image["alt"].strip() or not image["figure"], image


def test_is_accessible(visit, page_path):
    violations = visit("file", page_path).violations
    assert not violations, "\n".join(
        f"{found['id']} ({found['impact']}, {found['theme']})\n    " + "\n    ".join(found["nodes"][:4])
        for found in violations
    )


def test_says_smoke(visit, page_path, site):
    if "smoke" not in site.parts:
        pytest.skip("not the smoke site")
    assert SMOKE_BANNER.split("</strong>")[0].removeprefix("<strong>") in visit("file", page_path).text
