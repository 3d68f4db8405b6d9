"""Opens the parts of a `Gateway`, each with its work in the background."""
