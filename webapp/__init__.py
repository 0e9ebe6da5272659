"""The web of the lab: a Django project whose apps are the folders beside this file."""
