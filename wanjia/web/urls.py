"""Addresses: exactly the declared pages. A module `pages` in an audience's folder is found by the folder's listing."""

from importlib import import_module
from pathlib import Path

from django.urls import path

from wanjia.web.page import DECLARED

for folder in sorted(Path(__file__).parent.iterdir()):
    if (folder / "pages.py").exists() or (folder / "pages").is_dir():
        import_module(f"wanjia.web.{folder.name}.pages")

urlpatterns = [path(declared.address, declared.view, name=declared.name) for declared in DECLARED.values()]

handler400 = "wanjia.web.public.pages.request_malformed"
handler404 = "wanjia.web.public.pages.page_missing"
handler500 = "wanjia.web.public.pages.server_failed"
