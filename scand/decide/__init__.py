"""What to do next: pure and level-triggered. (state, occurrence, now) → (state, actions).

The agent does not remember what it was about to do: it looks at the row and at the disk, and does what they
still ask for. So a kill at any instant needs no code of its own: the next start sees the same row and the same
disk, and decides the same. What a state holds beyond them lives and dies with the daemon: its children, and what
they said last. Losing that only means that an task is run again, and every task may be.

**The agent goes on by itself only from a clean place**: its own steps need `error_code` NULL. A person's word
(a client's step, the signal) is needed after every fault. Source: DESIGN §1 "States", §3.
"""

from scand.decide.decide import decide

__all__ = ["decide"]
