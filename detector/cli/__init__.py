"""What a person types: each command's grammar, what it asks for, and how the program ends."""
