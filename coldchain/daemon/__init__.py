"""The daemon: puts everything together, supervises it, talks to systemd.

`Daemon` is in `coldchain.daemon.daemon`; commands that only ask a running one import far less.
"""
