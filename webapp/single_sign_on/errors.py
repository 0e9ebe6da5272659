class NotSignedIn(Exception):
    """Why somebody who comes from the provider is not let in, in a sentence for people."""
