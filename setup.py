"""Which folders a wheel holds: the package, and the tree of configurations, which lies beside it in a checkout."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["embft", "embft.*"]), "embft.configs"],
    package_dir={"embft.configs": "configs"},
)
