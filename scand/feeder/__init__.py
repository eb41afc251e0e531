"""The feeder: the child process that pulls paper through the scanner. Only this package loads libsane.

In the order in which paper travels: `__main__` does what the daemon says. `finding` opens the device, and `device`
is that device as libsane shows it. `options/` turns settings into SANE options. `batch` scans the stack side by
side; `parameters` checks what the driver says of a side, and `frame` reads it. `recorder` makes each side safe on
disk, with `blank/` (how much ink is on it) and `encode` (raster → file).
"""
