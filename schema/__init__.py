"""What clients see: Strawberry types, inputs and their descriptions."""
