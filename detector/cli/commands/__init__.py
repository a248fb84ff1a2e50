"""One file for each command, called like it: its flags, its examples, its request, and what it starts."""
