"""Other systems behind access: Cedar's policies, Django's and allauth's log-in."""
