"""Every figure that is claimed, measured; `python -m benchmarks [NAME …]` prints them."""
