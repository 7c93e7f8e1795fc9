"""View models: frozen, in the person's language, made by pure functions; no Textual in here."""
