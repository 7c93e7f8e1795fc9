"""Finding terminals politely: what is announced or plugged in is listed; only what a person picks is asked."""
