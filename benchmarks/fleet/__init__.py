"""Many daemons, one broker, one database: is each event there once, and what does it cost."""
