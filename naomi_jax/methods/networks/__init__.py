"""Networks beside the recursion: dense layers, the discriminator."""
