"""BPE, byte-level or over characters: its model, continued merging, native counting."""
