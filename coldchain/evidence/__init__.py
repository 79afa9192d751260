"""Evidence for those who do not trust us: signed heads, exports, and a checker that needs nothing of ours.

- `keys`: the gateway's Ed25519 key.
- `heads`: what is signed, and what signed and published heads show of a journal.
- `export`, `check_export`: the journal as text, and the stand-alone program that checks it.

docs/evidence.md says what is proven and what is not.
"""
