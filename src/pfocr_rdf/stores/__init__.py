"""Triple stores: what they can do, loading a release, bringing a served one up to date, servers on this machine."""
