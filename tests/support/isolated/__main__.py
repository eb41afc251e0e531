"""`python -m tests.support.isolated FILE FUNCTION ARGUMENT…`: what `isolated` runs."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location


def main(file: str, function: str, *arguments: str) -> None:
    """Load a test module by its path and call one of its functions."""
    spec = spec_from_file_location("isolated_tests", file)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    getattr(module, function)(*arguments)


main(*sys.argv[1:])
