"""What scripts/demo shows: latency.py and pipeline.py; kernel.py gets both ready."""
