"""The feeder: the child process that pulls paper through the scanner. The only importer of libsane.

`device` is the scanner as libsane shows it, `batch` pulls the stack, `recorder` makes each side safe on disk,
`__main__` does what the daemon says.
"""
