"""Evaluation: imputing whole data sets, and tables."""
