"""Addresses: exactly the declared pages. A module `pages` in an audience's folder is found by the folder's listing."""

from importlib import import_module
from pathlib import Path

from django.urls import URLPattern, URLResolver, include, path

from wanjia.web.page import DECLARED, Declaration

for folder in sorted(Path(__file__).parent.iterdir()):
    if (folder / "pages.py").exists() or (folder / "pages").is_dir():
        import_module(f"wanjia.web.{folder.name}.pages")

# names of libraries' pages may stand in namespaces ("idp:oidc:token"), because the libraries ask for them so
NAMESPACED = {name: declared for name, declared in DECLARED.items() if ":" in name}
PLAIN = {name: declared for name, declared in DECLARED.items() if ":" not in name}


def _patterns(pages: dict[str, Declaration], depth: int) -> list[URLPattern]:
    return [path(d.address, d.view, name=name.split(":")[depth]) for name, d in pages.items()]


urlpatterns: list[URLPattern | URLResolver] = [
    *_patterns(PLAIN, 0),
    path("", include(([path("", include((_patterns(NAMESPACED, 2), "oidc")))], "idp"))),
]

handler400 = "wanjia.web.public.pages.request_malformed"
handler404 = "wanjia.web.public.pages.page_missing"
handler500 = "wanjia.web.public.pages.server_failed"
handler429 = "wanjia.web.public.pages.accounts.too_many"
