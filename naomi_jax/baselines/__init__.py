"""Methods to compare with: each file has `fit(...) -> params` and `impute(params, x, mask, key)`."""
