"""Exchange with the office: sealed visits out, metadata in, enrolment; over HTTP or on a stick."""
