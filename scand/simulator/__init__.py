"""A virtual scanner on the SANE network protocol, for demonstrations, and the test-bed of scand's own tests.

It listens on port 6566 of a loopback address of its own, and libsane's net backend takes it for a saned.
`main` starts it, `marks` reads off a scanned page which side it is, `faults` says what can go wrong.
"""
