"""Tests: `unit` by themselves, `house` rules, the rest with real servers (`servers`)."""
