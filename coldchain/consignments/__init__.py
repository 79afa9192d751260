"""Consignments know what travels where: bindings, lanes and stages, and which rules they bring into force."""
