"""Who did what in the lab, and when: entries that nobody edits."""
