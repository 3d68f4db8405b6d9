"""List and detail reads; whatever touches a tenant's rows takes that tenant's scope."""
