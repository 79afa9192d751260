"""What happens in vessels and probes, without any device: moved by a time step, and by nothing else."""
