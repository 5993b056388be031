"""What every package may rely on: errors, ids, refs, digests and time. Imports nothing of ours."""
