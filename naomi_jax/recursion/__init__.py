"""The paper's method: mask to schedule, cells, heads, the decode and its gradient. Imports no other room."""
