"""What all of learning uses: progress, processes, locks, keys, tables, provenance."""
