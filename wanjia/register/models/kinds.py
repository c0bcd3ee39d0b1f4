"""The kinds of a fact that more than one table knows."""

from django.db import models


class ResidenceKind(models.TextChoices):
    """Registered (户籍) or actual (现居住) place."""

    DOMICILE = "domicile", "户籍地"
    RESIDENCE = "residence", "现居住地"
