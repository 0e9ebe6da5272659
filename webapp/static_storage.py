"""How the static files of a server are collected: compressed, under names of their contents."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORTS = (
    (
        r'(?P<matched>^import (?P<what>(?:.* from )?)"(?P<url>\./[^"]+)")',
        'import %(what)s"%(url)s"',
    ),
    (r'(?P<matched>import\("(?P<url>\./[^"]+)"\))', 'import("%(url)s")'),
)
"""As our scripts write them. Django's own patterns would find some in comments and in words of
other people's scripts."""


class StaticStorage(CompressedManifestStaticFilesStorage):
    """A script imports others by those names too, so that browsers keep them all for ever."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", tuple((f"(?m){pattern}", template) for pattern, template in IMPORTS)),
    )
    # One for each step from a page's script to what is imported farthest from it, and a few more.
    max_post_process_passes = 10
