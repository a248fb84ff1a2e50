"""The bundled recording that is played where there is no microphone."""
