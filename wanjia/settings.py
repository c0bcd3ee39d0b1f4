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
    "procrastinate.contrib.django",
    *CONTEXTS,
    "wanjia.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # not Django's LocaleMiddleware: the language is the user's choice, never the browser's (see there)
    "wanjia.web.middleware.ChosenLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wanjia.web.middleware.NothingKept",
    "wanjia.web.middleware.ErrorsExplained",
    # innermost: sees the view that will answer
    "wanjia.web.middleware.DeniedByDefault",
]
ROOT_URLCONF = "wanjia.web.urls"
AUTH_USER_MODEL = "access.Account"
# scrypt holds as well as PBKDF2 with a million rounds and takes a tenth of its time
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
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
TIME_ZONE = "Asia/Shanghai"

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
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("WANJIA_HTTPS") == "1"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "/login/"
CSRF_FAILURE_VIEW = "wanjia.web.public.pages.form_expired"

# log lines carry codes and counts, never a request's content
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
