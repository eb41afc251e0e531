"""What to do next. Pure: (state, occurrence, now) → (state, actions).

The agent does not remember what it was about to do. It looks at the rows and at the disk, and does what they
still ask for. So a kill at any instant needs no code of its own: the next start sees the same rows and the same
disk, and decides the same. What a `State` has beyond them (the children, and what they said last) is lost with the
daemon; the only cost is that a task is done again, and every task can be.

**The agent goes on by itself only when nothing is in doubt**: its own steps need `error_code` NULL. After a fault,
the next step is a person's (a client's, or the signal). Source: docs/design.md "The agent's own steps".

The modules, in the order of one decision: `occurrences` is what can happen, `state` what is known. `update` puts
an occurrence into the state, and `supervise` judges the children. `decide` then picks by the job's status:
`scanning`, `batches` (those that are not recorded yet), `delivering`, or `housekeeping` when there is no job.
`decision` is what these share, `actions` what they can want done. `sentences` words a batch's end for people, and
`timeouts` has every time and number of tries.
"""

from scand.decide.decide import decide

__all__ = ["decide"]
