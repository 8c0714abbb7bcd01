"""Models: found, loaded, changed, saved. Only here is transformers spoken."""
