"""The entry point of a WSGI server: `granian --interface wsgi wanjia.web.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.settings")
application = get_wsgi_application()
