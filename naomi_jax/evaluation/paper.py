"""The numbers of the paper's Tables 1-3 (Liu et al., NeurIPS 2019), on its own data and splits."""

# The rows from top to bottom here; the paper has them as columns.
ORDER = ("Linear", "KNN", "RNN", "GRUI", "MaskGAN", "SingleRes", "NAOMI", "Expert")

# Which data set a table is about.
NUMBERS = {1: "traffic", 2: "billiards", 3: "basketball"}

TABLES = {
    # L2 (1e-4)
    "traffic": {
        "Linear": (15.59,),
        "KNN": (4.58,),
        "GRUI": (15.24,),
        "MaskGAN": (6.02,),
        "SingleRes": (4.51,),
        "NAOMI": (3.54,),
    },
    # sinuosity, step change (1e-3), reflection to wall, L2 (1e-2)
    "billiards": {
        "Linear": (1.121, 0.961, 0.247, 19.00),
        "KNN": (1.469, 24.59, 0.189, 5.381),
        "GRUI": (1.859, 28.19, 0.225, 20.57),
        "MaskGAN": (1.095, 15.35, 0.100, 1.830),
        "SingleRes": (1.019, 9.290, 0.038, 0.233),
        "NAOMI": (1.006, 7.239, 0.023, 0.067),
        "Expert": (1.000, 1.588, 0.018, 0.0),
    },
    # path length, out of bounds (1e-3), step change (1e-3), path difference, player distance
    "basketball": {
        "Linear": (0.482, 2.997, 0.522, 0.519, 0.422),
        "KNN": (0.921, 0.128, 13.24, 0.746, 0.403),
        "GRUI": (1.141, 4.703, 14.95, 0.690, 0.398),
        "MaskGAN": (0.793, 4.592, 9.622, 0.680, 0.427),
        "SingleRes": (0.702, 3.874, 4.811, 0.571, 0.417),
        "NAOMI": (0.573, 1.733, 2.565, 0.581, 0.423),
        "Expert": (0.556, 0.861, 1.982, 0.580, 0.425),
    },
}
