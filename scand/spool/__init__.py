"""Pages on local disk: what is recorded of them, and where they lie."""
