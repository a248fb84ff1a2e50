"""A terminal in memory that shows what people would see, also after it was made narrower or wider."""

from __future__ import annotations

import io
import re

_PIECES = re.compile(
    r"\x1b\[(?P<value>[0-9;?]*)(?P<code>[A-Za-z])|\x1b(?P<cursor>[78])|(?P<character>.)", re.DOTALL
)


class FakeTerminal(io.StringIO):
    """Obeys carriage return, newline, and codes that move the cursor and erase; colours change nothing.

    Lines longer than `columns` are broken, and broken anew when `columns` is set.
    """

    def __init__(self, columns: int = 80) -> None:
        super().__init__()
        self.columns = columns
        self._lines = [""]
        self._row = self._column = 0
        self._kept = (0, 0)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for piece in _PIECES.finditer(text):
            if piece["code"]:
                self._obey(piece["code"], piece["value"])
            elif piece["cursor"] == "7":
                self._kept = self._row, self._column
            elif piece["cursor"] == "8":
                self._row, self._column = self._kept
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
        line = self._lines[self._row]
        begin = self._column - self._column % self.columns  # of the row with the cursor
        if code == "K":
            start = begin if value == "2" else self._column
            rest = line[begin + self.columns :]
            blanks = " " * (min(len(line), begin + self.columns) - start)
            self._lines[self._row] = line[:start] + (blanks + rest if rest else "")
        elif code == "B":
            if len(line) > begin + self.columns:
                self._column += self.columns
            elif self._row + 1 < len(self._lines):
                self._row, self._column = self._row + 1, self._column - begin
        else:
            assert code == "m", f"this terminal does not know {value}{code}"
