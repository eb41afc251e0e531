"""A virtual scanner that speaks the SANE network protocol, for demonstrations and for scand's own tests.

It listens on port 6566 of its own loopback address, where libsane's net backend takes it for a saned. `main`
starts it, `marks` reads from a scanned page which side it shows, and `faults` lists what can go wrong.
"""
