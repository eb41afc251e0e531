"""`scand setup`: questions, answers, and the steps that follow from them. For root, where the unit is installed.

Each step looks first and changes only what differs, so that it is safe to repeat:

    config → groups → NAS marked → sandbox opened → service started
"""
