"""scand: a stack of paper goes in once; no page is lost, doubled or silently missing.

Follow one sheet through the house: `feeder` (SANE) → `spool` (local disk) → `document` (PDF) → `delivery`
(NAS, Inbox). `agent` is the one loop that waits, lets `decide` decide, and performs.
"""

__version__ = "0.1.0"
