"""What holds for every test."""

import signal

from hypothesis import settings

# A busy machine is no fault of the code: no test asserts a time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# A shell that starts the suite in the background has it ignore Ctrl-C, and so would the programs it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
