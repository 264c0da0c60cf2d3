"""Scripts that an export carries away: they need the export alone, not embft. `embft.export.command` joins two to one file."""
