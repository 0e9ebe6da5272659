class BackupError(Exception):
    """Why a lab was not backed up or restored, in a sentence for people."""
