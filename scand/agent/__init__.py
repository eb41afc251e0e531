"""The daemon: wait, decide, perform, and again.

`loop` turns for as long as the daemon lives:

    wait      for a signal (`wakeup`), a child's report (`children`), a notification (`hints`), the end of the
              session with the database (`session`), a changed config (`reload`): each becomes an occurrence
    decide    `scand.decide`: (state, occurrence, now) → (state, actions), without any I/O
    perform   `perform` carries out each action: it writes a row, commands a child (`tasks`), or reads rows and
              disk together (`snapshot`); what became of it is the next occurrence
    log       `log.narrate` chooses the line that an occurrence or an outcome deserves, `log.reporter` says it
    then      a heartbeat into the database when one is due, WATCHDOG=1 and STATUS= to systemd (`log.standing`)

`service` puts the daemon together, `lock` keeps a second one from the same staging directory, and `retention`
removes local files.
"""
