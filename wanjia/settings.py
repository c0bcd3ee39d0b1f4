"""Django's settings. Everything an operator may choose comes from the environment (see wanjia/kernel/settings.py)."""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from wanjia.kernel import settings as wanjia_settings
from wanjia.kernel.database import ensure_server

BASE_DIR = Path(__file__).resolve().parent


def _database() -> dict:
    url = urlsplit(ensure_server())
    query = dict(parse_qsl(url.query))
    options: dict = {}
    if role := os.environ.get("WANJIA_DATABASE_ROLE"):
        # the web process gives up the right to read the vault before its first statement
        options["options"] = f"-c role={role}"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": query.pop("host", url.hostname or ""),
        "PORT": str(url.port or query.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {**query, **options},
    }


def _secret_key() -> str:
    if chosen := os.environ.get("WANJIA_SECRET_KEY"):
        return chosen
    path = wanjia_settings.home() / "keys" / "web_secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text()


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = os.environ.get("WANJIA_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# a folder of wanjia/ with models.py or migrations is a context: no list to edit
CONTEXTS = sorted(
    f"wanjia.{path.name}"
    for path in BASE_DIR.iterdir()
    if (path / "migrations").is_dir() or (path / "models.py").exists() or (path / "models").is_dir()
)
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    # before allauth, so that its pages come in our templates
    "wanjia.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.idp.oidc",
    "wanjia.web.public.openid",
    "procrastinate.contrib.django",
    *CONTEXTS,
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "wanjia.web.middleware.SessionsEnd",
    # not Django's LocaleMiddleware: the language is the user's choice, never the browser's (see there)
    "wanjia.web.middleware.ChosenLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wanjia.web.middleware.NothingKept",
    "wanjia.web.middleware.ErrorsExplained",
    "allauth.account.middleware.AccountMiddleware",
    # innermost: sees the view that will answer
    "wanjia.web.middleware.DeniedByDefault",
]
ROOT_URLCONF = "wanjia.web.urls"
AUTH_USER_MODEL = "access.Account"
# scrypt holds as well as PBKDF2 with a million rounds and takes a tenth of its time
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    # of machines' random secrets, which are hashed by it by name; never of a password
    "wanjia.access.adapters.hashing.RandomSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# codes that were used and attempts that failed must be known to every process of the server
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "access_cache"}}
WSGI_APPLICATION = "wanjia.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "wanjia.web.navigation.of_request",
            ]
        },
    }
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "web" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = wanjia_settings.time_zone()

STATIC_URL = "/static/"
STATIC_ROOT = wanjia_settings.home() / "static"
STATICFILES_DIRS = [
    folder for folder in (BASE_DIR / "web" / "static_parts", BASE_DIR / "web" / "static") if folder.is_dir()
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # no inline script and no inline style anywhere: neither a nonce nor 'unsafe-inline' is needed
        "script-src": [SELF],
        "style-src": [SELF],
        # data: for the arrows and ticks inside Tabler's style sheet
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# what residents send as evidence stays in memory: a temporary file would lie on disk in clear. Larger bodies lose their files, and the form says so
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 7 * 1024 * 1024
SESSION_COOKIE_HTTPONLY = True
if wanjia_settings.is_practice():
    # a browser keeps cookies by host, not by port: who practises beside the register in earnest must not be logged out of it
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "practice_session", "practice_csrf"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("WANJIA_HTTPS") == "1"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
# a session ends this long after its last request, and after a working day in any case
IDLE_SECONDS = int(os.environ.get("WANJIA_IDLE_SECONDS") or 30 * 60)
LONGEST_SESSION_SECONDS = 10 * 3600

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ACCOUNT_ADAPTER = "wanjia.web.public.log_in.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {"login": "wanjia.web.public.forms.LogInForm"}
ACCOUNT_LOGOUT_REDIRECT_URL = "/login/"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# a whole office may share one address; names are locked one by one (access.api.tallies)
# and anybody may ask about documents, but not try numbers at leisure
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "check_document": "60/m/ip"}
MFA_ADAPTER = "wanjia.web.public.log_in.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# browsers themselves allow passkeys without https on localhost only
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SESSION_COOKIE_SECURE
SOCIALACCOUNT_ADAPTER = "wanjia.web.public.identities.Identities"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_EMAIL_REQUIRED = False
# the way out is a link: browsers refuse a form that ends at another site (form-action); the state parameter binds it to the session
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": ["openid", "profile"],
        "APPS": wanjia_settings.identity_providers(),
    }
}
# claims by which a resident's first log-in finds the person; without a number claim only connected accounts log in
IDENTITY_NUMBER_CLAIM = os.environ.get("WANJIA_OIDC_NUMBER_CLAIM", "")
IDENTITY_NAME_CLAIM = os.environ.get("WANJIA_OIDC_NAME_CLAIM", "name")
IDP_OIDC_ADAPTER = "wanjia.web.public.provider.Provider"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
CSRF_FAILURE_VIEW = "wanjia.web.public.pages.form_expired"

# log lines carry codes and counts, never a request's content
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
