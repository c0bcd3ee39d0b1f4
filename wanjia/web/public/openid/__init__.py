"""An OpenID Connect provider as allauth finds it: an installed app with a module `provider`."""
