"""`make bench`: how fast scand is and how much it uses, compared with what people use today, on this machine.

Each section is a module that yields lines (`line`), which `table` shows. Runs of scand and of its peers take
turns, so that anything else that the machine does affects them all.
"""
