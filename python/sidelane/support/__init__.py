"""What any module may use: text that is safe to print, secrets that are hidden, work side by side. Knows no domain."""
