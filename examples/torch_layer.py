"""A layer with a pole in a PyTorch model: the response of a resonance, fitted by Adam.

The resonance is at 0.6125, and the model begins with 0.5, where one of the samples lies. Written in
tensors it has NaN in every parameter after the first step, although the sample is masked out of the
loss. The layer of zeroproof leaves the sample out of the gradients too, and the model finds the
resonance.

Run: python examples/torch_layer.py (needs PyTorch)
"""

import torch

from zeroproof import torch as zeroproof_torch

STEPS = 1000


def resonance(u, height, center):
    """The response of an undamped resonance."""
    return height / (u - center)


class Model(torch.nn.Module):
    """A resonance by the function ``response``, which returns values and masks."""

    def __init__(self, response):
        super().__init__()
        self.response = response
        self.height = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
        self.center = torch.nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def forward(self, x):
        return self.response(x, self.height, self.center)


def plain(u, height, center):
    """The same in tensors, with the mask that people write: it comes too late."""
    value = height / (u - center)
    return value, ~torch.isfinite(value)


def train(response):
    x = torch.linspace(0.0, 1.0, 41, dtype=torch.float64)
    truth = 0.8 / (x - 0.6125)
    model = Model(response)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    decay = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.995)
    masked_samples = 0
    for _ in range(STEPS):
        optimizer.zero_grad()
        value, masked = model(x)
        error = torch.where(masked, 0.0, value - truth)
        loss = torch.log1p(error**2).sum() / (~masked).sum()  # next to the pole errors are large
        loss.backward()
        optimizer.step()
        decay.step()
        masked_samples += int(masked.sum())
    return loss.item(), model.center.item(), masked_samples


def main():
    layer = zeroproof_torch.function(resonance, in_axes=(0, None, None))
    for name, response in ("tensors", plain), ("zeroproof", layer):
        loss, center, masked = train(response)
        print(f"{name:>9}: loss {loss:.2e}, resonance at {center:.4f}, {masked} samples masked")


if __name__ == "__main__":
    main()
