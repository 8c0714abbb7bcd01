"""Native operators of ``specialize``, called through specialize/native/__init__.py."""
