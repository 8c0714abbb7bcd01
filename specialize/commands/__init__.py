"""The commands, a file each: `add` declares the arguments, `run` makes one public call and prints.

Modules import nothing heavy: what a command needs is imported when it runs.
"""
