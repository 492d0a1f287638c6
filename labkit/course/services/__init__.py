"""Services that leak, composed from templates by a seed: one for each team of a training."""
