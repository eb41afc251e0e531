"""Whether a side is blank: how much of it was written or printed.

`ink` makes a small image of the side and finds what stands out from the paper; `components` tells which of those
pieces a hand or a press made, and which come from the paper or the scanner.
"""
