"""The courier."""
