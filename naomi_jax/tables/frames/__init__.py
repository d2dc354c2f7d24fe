"""Tables in memory - DataFrames, arrays, lists of arrays - and the way back."""
