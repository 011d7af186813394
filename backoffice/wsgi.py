"""The web entry: ``granian --interface wsgi backoffice.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
# A web process serves many requests at once on threads: they share a pool of connections.
os.environ.setdefault("DATABASE_POOL_SIZE", "10")

application = get_wsgi_application()
