"""Word vectors: training, and files of them."""
