"""Reports: what was measured, as text and as pages; nothing here measures."""
