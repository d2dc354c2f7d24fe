"""Recurrent cells and heads, the rows of buffers that they read, and gradients written by hand."""
