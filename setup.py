"""The part of the build that pyproject.toml cannot say: an extension in C that may be missing."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "labkit.heap._kernels",
            ["labkit/heap/_kernels.c"],
            extra_compile_args=["-O2"],
            py_limited_api=True,
            optional=True,  # without a compiler labkit.heap.plain does the same, more slowly
        )
    ],
)
