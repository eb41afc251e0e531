"""`python -m scand.cli`: the same as the console script `scand`."""

from scand.cli import main

main()
