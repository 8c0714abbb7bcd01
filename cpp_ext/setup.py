"""Build the extension module, without torch, and its PyTorch operators where torch is found.

A build without isolation (``pip install --no-build-isolation ./cpp_ext``) finds torch. An isolated
build has the module alone, which is all that the command line uses.
"""

from glob import glob
from typing import Any

from setuptools import Extension, setup

HEADERS = [*glob("include/specialize/*.hpp"), "src/python.hpp"]
FLAGS = ["-std=c++20", "-O3", "-g0", "-fvisibility=hidden"]
STABLE = "-DTORCH_TARGET_VERSION=0x020a000000000000"  # torch 2.10


def core() -> Extension:
    return Extension(
        "specialize_native._core",
        ["src/core.cpp", *sorted(glob("src/*_module.cpp"))],
        depends=HEADERS,
        include_dirs=["include"],
        extra_compile_args=FLAGS,
        py_limited_api=True,
    )


def settings() -> dict[str, Any]:
    try:
        from torch.utils.cpp_extension import BuildExtension, CppExtension
    except ImportError:
        return {"ext_modules": [core()]}
    operators = CppExtension(
        "specialize_native._ops",
        ["src/torch_ops.cpp"],
        depends=HEADERS,
        include_dirs=["include"],
        extra_compile_args=[*FLAGS, STABLE],
        py_limited_api=True,
    )
    build = BuildExtension.with_options(no_python_abi_suffix=True, use_ninja=False)
    return {"ext_modules": [core(), operators], "cmdclass": {"build_ext": build}}


setup(**settings(), options={"bdist_wheel": {"py_limited_api": "cp311"}})
