"""A terminal in memory that shows what people would see, also after it was made narrower or wider."""

from __future__ import annotations

import io
import re

_PIECES = re.compile(r"\x1b\[(?P<value>[0-9;?]*)(?P<code>[A-Za-z])|(?P<character>.)", re.DOTALL)


class FakeTerminal(io.StringIO):
    """Obeys carriage return, newline and the codes that erase; colours change nothing.

    Lines longer than `columns` are broken, and broken anew when `columns` is set.
    """

    def __init__(self, columns: int = 80) -> None:
        super().__init__()
        self.columns = columns
        self._lines = [""]
        self._row = self._column = 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for piece in _PIECES.finditer(text):
            if piece["code"]:
                self._obey(piece["code"], piece["value"])
            else:
                self._type(piece["character"])
        return super().write(text)

    @property
    def lines(self) -> list[str]:
        """The lines that were written, as they look now; a long one is one line."""
        return [line.rstrip() for line in self._lines]

    @property
    def rows(self) -> list[str]:
        """The same as rows of the screen: a line that is too long takes several."""
        return [
            line[start : start + self.columns]
            for line in self.lines
            for start in range(0, max(1, len(line)), self.columns)
        ]

    def _type(self, character: str) -> None:
        if character == "\r":
            self._column -= self._column % self.columns
        elif character == "\n":
            self._row, self._column = self._row + 1, 0
            if self._row == len(self._lines):
                self._lines.append("")
        else:
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _obey(self, code: str, value: str) -> None:
        if code in "JK":
            assert value in ("", "0"), "only what is behind the cursor can be erased"
            self._lines[self._row] = self._lines[self._row][: self._column]
            if code == "J":
                del self._lines[self._row + 1 :]
        else:
            assert code == "m", f"this terminal does not know {value}{code}"
