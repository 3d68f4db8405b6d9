"""A storm of events and questions: every answer must be of one state, and say truly of when."""
