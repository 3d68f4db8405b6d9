"""Who and how much: viewers, scopes, permissions, tokens and limits."""
