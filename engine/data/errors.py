"""What can go wrong with data, each as one sentence for the person who reads it."""


class DataError(Exception):
    """The data cannot be had, or are not what they should be."""


class DataMissing(DataError):
    """The data are not on this machine; the message has the command that fetches them."""
