"""A function with a pole in a JAX program: the potential of a charge, seen by sensors on a grid.

The potential is infinite where the charge is, and one of the sensors is there. In jax.numpy that
makes the whole gradient by the charge's place NaN, although the sensor's reading is masked out of
the loss. zeroproof's function leaves the sensor out of the gradient too, under jit.

Run: python examples/jax_function.py (needs JAX)
"""

import jax
import jax.numpy as jnp

from zeroproof import jax as zeroproof_jax
from zeroproof import tr_sqrt

jax.config.update("jax_enable_x64", True)


def potential(sensor, charge):
    """1 / |sensor − charge| in the plane."""
    dx, dy = sensor[0] - charge[0], sensor[1] - charge[1]
    return 1.0 / tr_sqrt(dx * dx + dy * dy)


def plain(sensors, charge):
    """The same in jax.numpy, with a mask."""
    values = 1.0 / jnp.sqrt(((sensors - charge) ** 2).sum(axis=1))
    return values, ~jnp.isfinite(values)


def main():
    axis = jnp.linspace(-1.0, 1.0, 5)
    sensors = jnp.stack(jnp.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    readings, _ = plain(sensors, jnp.array([0.2, -0.1]))
    start = jnp.array([0.5, 0.0])  # a sensor is there too

    function = zeroproof_jax.function(potential, in_axes=(0, None), device=True)
    for name, response in ("jax.numpy", plain), ("zeroproof", function):

        def loss(charge, response=response):
            values, masked = response(sensors, charge)
            return jnp.where(masked, 0.0, (values - readings) ** 2).sum() / (~masked).sum()

        value, gradient = jax.jit(jax.value_and_grad(loss))(start)
        print(
            f"{name}: loss {value:.4f}, gradient {[round(each, 4) for each in gradient.tolist()]}"
        )


if __name__ == "__main__":
    main()
