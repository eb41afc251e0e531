"""A network MFP for Debian's sane-airscan: an eSCL server with a duplex feeder and drawn sheets."""
