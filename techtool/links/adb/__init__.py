"""The ADB wire, spoken by techtool itself, and a small client of an adb server."""
