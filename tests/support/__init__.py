"""What the Python tests share: special values, the cases of every op, and random programs."""
