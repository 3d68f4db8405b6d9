"""The domain: measures, dimensions, periods, and the plan that answers a slice."""
