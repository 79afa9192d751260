"""Simulated devices: physics, state and wire protocol apart, moved by a time step they are given."""
