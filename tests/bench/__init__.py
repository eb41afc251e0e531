"""`make bench`: how fast scand is and how much it takes, beside what people use today, on this machine.

A module a section; each gives lines (`line`), which `table` shows. Runs of scand and of its peers take turns, so
that whatever else the machine does strikes them all.
"""
