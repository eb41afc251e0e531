"""Completion in bash, which splits "sides=du" into three words and replaces the last of them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from click.shell_completion import BashComplete, add_completion_class, split_arg_string

if TYPE_CHECKING:
    from typing import Any

    from click.shell_completion import CompletionItem

_BEHIND = re.compile(r".*[=:](?=.)")


class Bash(BashComplete):
    """Bash, with KEY=VALUE as one word, and no space after "KEY="."""

    source_template = BashComplete.source_template.replace(
        "env COMP_WORDS=", 'env COMP_LINE="${COMP_LINE:0:$COMP_POINT}" COMP_WORDS='
    ).replace("COMPREPLY+=($value)", 'COMPREPLY+=("$value"); [[ $value != *= ]] || compopt -o nospace')

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and the one that is begun."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)[1:]
        return (words, "") if line[-1:].isspace() or not words else (words[:-1], words[-1])

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """The text that replaces the last of the words that bash sees."""
        return f"{item.type},{_BEHIND.sub('', item.value)}"


def register() -> None:
    """Make click complete in bash as this module does."""
    add_completion_class(Bash)
