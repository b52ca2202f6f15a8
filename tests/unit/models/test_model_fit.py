from __future__ import annotations

import psutil
import pytest

from lsp_server.models import catalogue, fit
from lsp_server.models.fit import Fit, Machine


@pytest.mark.parametrize(("gb", "expected"), [(0.5, Fit.NO), (2, Fit.TIGHT), (4, Fit.YES)])
def test_the_default_model(gb: float, expected: Fit) -> None:
    assert Machine(int(gb * 1e9), 4).fit(catalogue.get(catalogue.DEFAULT_NAME).ram_bytes()) is expected


@pytest.mark.parametrize(
    ("gb", "quant"),
    [(8, None), (16.5, "q3_k_m"), (19, "q4_k_m"), (21, "q5_k_m"), (24, "q6_k"), (64, "q8_0")],
)
def test_the_best_codestral_that_fits(gb: float, quant: str | None) -> None:
    best = fit.codestral(Machine(int(gb * 1e9), 8))
    assert (best.name if best else None) == (f"codestral-22b-{quant}" if quant else None)


def test_a_first_model() -> None:
    assert fit.recommended(Machine(int(8e9), 2)).name == catalogue.DEFAULT_NAME
    assert fit.recommended(Machine(int(2e9), 16)).name == catalogue.DEFAULT_NAME
    assert fit.recommended(Machine(int(8e9), 16)).name == "qwen2.5-coder-1.5b"


def test_this_machine() -> None:
    machine = fit.this_machine()
    assert machine is not None
    assert 0 < machine.memory_bytes <= psutil.virtual_memory().total
    assert machine.cores >= 1
