"""Where tensors and arrays of the tests lie when a test does not say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _torch_device(request: pytest.FixtureRequest) -> Iterator[None]:
    """PyTorch's default device is the one of ``--torch-device`` during a test."""
    device = request.config.getoption("--torch-device")
    if device is None:
        yield
        return
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.set_default_device(device)
    yield
    torch.set_default_device(None)
