"""Charts: lookup and description, validation of values against the schema, and rendering."""
