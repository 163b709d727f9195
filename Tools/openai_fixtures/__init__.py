"""An invented organization, and what OpenAI's Admin API would answer about it."""
