"""The tables of the history's file, version by version."""

from __future__ import annotations

MIGRATIONS = (
    # 0 -> 1
    (
        """CREATE TABLE messages (
            seq INTEGER PRIMARY KEY,
            id TEXT,
            type TEXT,
            label TEXT,
            class_id TEXT,
            start REAL,
            stop REAL,
            top_score REAL,
            source TEXT,
            line TEXT NOT NULL
        )""",
        "CREATE INDEX messages_id ON messages (id)",
        "CREATE INDEX messages_start ON messages (start)",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta VALUES ('reserved', 1)",
    ),
    # 1 -> 2: sound levels by minute. `minute` counts from 1970 in UTC, `at` is the history's own clock (see
    # `retention`), `heard` and `lost` are seconds, levels are dBFS, null where nothing was heard.
    (
        "CREATE TABLE level_sources (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        """CREATE TABLE levels (
            number INTEGER PRIMARY KEY,
            source INTEGER NOT NULL REFERENCES level_sources (number),
            minute INTEGER NOT NULL,
            at INTEGER NOT NULL,
            heard REAL NOT NULL,
            lost REAL NOT NULL,
            leq REAL,
            max REAL,
            l10 REAL,
            l90 REAL,
            histogram BLOB NOT NULL,
            UNIQUE (source, minute)
        )""",
    ),
    # 2 -> 3: pictures of events; `pixels` is compressed (see `picture_table`).
    (
        """CREATE TABLE pictures (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            pixels BLOB NOT NULL
        )""",
        """CREATE TRIGGER pictures_deleted AFTER DELETE ON messages
        WHEN NOT EXISTS (SELECT 1 FROM messages WHERE id = old.id) BEGIN
            DELETE FROM pictures WHERE id = old.id;
        END""",
    ),
)
"""Statements that bring a file from version n to n + 1, where n is the index; one transaction each."""

VERSION = len(MIGRATIONS)
"""Grows with every change of the tables; the file carries it as `user_version`."""
