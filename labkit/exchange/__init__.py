"""A heap in the forms of other tools: V8's ``.heapsnapshot``, DOT, networkx, columns and Arrow tables."""
