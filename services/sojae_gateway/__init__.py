"""HTTP: predictions, designs, records, templates, models, the quarantine."""
