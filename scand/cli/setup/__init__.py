"""`scand setup`: the answers, what follows from them, and the doing. For root, where the unit is installed.

Each step looks first and changes only what differs, so that it is safe to repeat:

    config → groups → NAS marked → sandbox opened → service started
"""
