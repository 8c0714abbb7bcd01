"""Native operators of ``specialize``; it calls them through specialize/native.py."""
