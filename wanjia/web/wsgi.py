"""The entry point of a WSGI server: `granian --interface wsgi wanjia.web.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.settings")
application = get_wsgi_application()


def _read_declared() -> None:
    """Read all that is declared before the first request comes: whoever is first would else wait a second for it."""
    from django.urls import get_resolver

    from wanjia.kernel.declared import DeclarationErrors
    from wanjia.register.api import event_kinds, sought_by
    from wanjia.standards import api as standards
    from wanjia.web.words import vocabulary

    try:
        _ = get_resolver().url_patterns
        vocabulary()
        event_kinds()
        # characters and syllables are looked up in tables that the first name makes
        sought_by("王 wang")
        sought_by("wang")
        _ = standards.load_profile().picker
    except DeclarationErrors:
        # the pages say it, to whoever asks for one that needs it
        pass


_read_declared()
