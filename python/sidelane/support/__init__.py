"""What any module may use: safe text, hidden secrets, work side by side, files and locks. Knows no domain."""
