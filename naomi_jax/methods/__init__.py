"""Ways to fill a sequence, behind one protocol; a file each."""
