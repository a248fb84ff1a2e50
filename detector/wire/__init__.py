"""What events look like outside the program: messages, requests, addresses, access, text."""
