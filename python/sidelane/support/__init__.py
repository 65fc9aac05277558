"""Helpers for every module: safe text, redaction, concurrency, files and locks. No domain knowledge belongs here."""
