"""Roles, purposes, field groups and Cedar policies of a profile, read strictly and checked as a whole.

Cedar works on what `PolicyBook` makes once: the parsed policies, the checked schema and the fixed entities (roles, purposes, field groups).
Circumstances of a case come as context, so equal cases get equal answers and can be remembered.
"""

import hashlib
import json
import pwd
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cedarpy

from wanjia.access.declared import DeclaredRole, FieldGroup, Purpose
from wanjia.access.rules import FIELD_ACTIONS, Action, Circumstances
from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors, Mistake, did_you_mean, load_folder
from wanjia.standards import api as standards

T = TypeVar("T")

#: a profile that lacks a part takes it from this one: another country need not write roles anew
COMMON = settings.PROJECT_ROOT / "declared" / "cn" / "access"
SCHEMA = "schema.cedarschema"
HASH_CHARACTERS = 32
REMEMBERED = 65_536


@dataclass(frozen=True)
class Verdict:
    """What Cedar said for one role, action and set of circumstances: the fields permitted, and which policies decided."""

    is_allowed: bool
    fields: frozenset[str]
    policies: Mapping[str, str]


class PolicyBook:
    """Everything declared about access in one profile. Immutable; `verdict` is a pure function, so it remembers."""

    def __init__(
        self,
        roles: Mapping[str, DeclaredRole],
        purposes: Mapping[str, Purpose],
        fields: Mapping[str, FieldGroup],
        texts: Mapping[str, str],
        schema: str,
    ) -> None:
        self.roles, self.purposes, self.fields = dict(roles), dict(purposes), dict(fields)
        joined = "\n".join(texts[name] for name in sorted(texts))
        #: id of each policy → its text in canonical form
        self.texts = canonical_texts(joined)
        self.hashes = {name: text_hash(text) for name, text in self.texts.items()}
        #: everything that decides, by name → hash: policies, roles, purposes, field groups, the schema
        self.parts = {
            **{f"policy:{name}": hashed for name, hashed in self.hashes.items()},
            **{f"role:{name}": declared_hash(role) for name, role in roles.items()},
            **{f"purpose:{name}": declared_hash(purpose) for name, purpose in purposes.items()},
            **{f"fields:{name}": declared_hash(group) for name, group in fields.items()},
            "schema": text_hash(schema),
        }
        self._policies = cedarpy.PolicySet.from_str(joined)
        self._schema = cedarpy.Schema.from_str(schema)
        self._entities = cedarpy.Entities.from_json_str(json.dumps(self._fixed_entities()), schema)
        self.verdict = lru_cache(maxsize=REMEMBERED)(self._decide)

    def elements(self, fields: Iterable[str]) -> frozenset[str]:
        """The keys of the elements in these field groups."""
        return frozenset(key for group in fields for key in self.fields[group].elements)

    def _decide(self, role: str, action: Action, purpose: str, case: Circumstances) -> Verdict:
        """Cedar's answer; anything but a clean Allow is no: a request it cannot read or a policy that fails denies."""
        if role not in self.roles or purpose not in self.purposes:
            return Verdict(False, frozenset(), {})
        needs_fields = action in FIELD_ACTIONS
        targets = [f'Fields::"{name}"' for name in self.fields] if needs_fields else ['Register::"persons"']
        context = {**case.as_context(), "purpose": {"__entity": {"type": "Purpose", "id": purpose}}}
        asked = [
            {"principal": f'Role::"{role}"', "action": f'Action::"{action}"', "resource": target, "context": context}
            for target in targets
        ]
        answers = cedarpy.is_authorized_batch(asked, self._policies, self._entities, self._schema)
        deciding: dict[str, str] = {}
        allowed = []
        for name, answer in zip(self.fields if needs_fields else ["persons"], answers, strict=True):
            if answer.decision is cedarpy.Decision.Allow and not answer.diagnostics.errors:
                allowed.append(name)
                for policy in answer.diagnostics.id_annotations_by_reason.values():
                    deciding[policy] = self.hashes[policy]
        return Verdict(bool(allowed), frozenset(allowed if needs_fields else ()), dict(sorted(deciding.items())))

    def _fixed_entities(self) -> list[dict[str, Any]]:
        def named(kind: str, name: str) -> dict[str, str]:
            return {"type": kind, "id": name}

        groups = sorted({group for role in self.roles.values() for group in role.groups})
        return [
            *({"uid": named("Group", group), "attrs": {}, "parents": []} for group in groups),
            *(
                {"uid": named("Role", role.code), "attrs": {}, "parents": [named("Group", g) for g in role.groups]}
                for role in self.roles.values()
            ),
            *(
                {
                    "uid": named("Purpose", p.code),
                    "attrs": {
                        "roles": [{"__entity": named("Role", code)} for code in p.roles],
                        "is_urgent": p.is_urgent,
                        "is_own": p.is_own,
                    },
                    "parents": [],
                }
                for p in self.purposes.values()
            ),
            *(
                {
                    "uid": named("Fields", group.key),
                    "attrs": {"is_protected": group.is_protected},
                    "parents": [named("Purpose", p.code) for p in self.purposes.values() if group.key in p.fields],
                }
                for group in self.fields.values()
            ),
            {"uid": named("Register", "persons"), "attrs": {}, "parents": []},
        ]


def canonical_texts(policies: str) -> dict[str, str]:
    """Id of each policy → its text as Cedar writes it: layout and comments do not change a policy, so they do not change its hash."""
    listed = json.loads(cedarpy.policies_to_json_str(policies))["staticPolicies"]
    return {
        one["annotations"]["id"]: cedarpy.policies_from_json_str(
            json.dumps({"templates": {}, "staticPolicies": {"policy0": one}, "templateLinks": []})
        )
        for one in listed.values()
    }


def text_hash(text: str) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of a policy's canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARACTERS]


def declared_hash(declared: Any) -> str:
    """The hash of a declared role, purpose or field group as it was read: layout and comments of its file do not count."""
    return text_hash(json.dumps(asdict(declared), ensure_ascii=False, sort_keys=True, default=sorted))


def parts_hash(parts: Mapping[str, str]) -> str:
    """One hash for all that is in force."""
    return text_hash(json.dumps(dict(parts), sort_keys=True))


def last_written(profile: Path | None = None) -> dict[str, str]:
    """The file of access that was written last, when, and the account that owns it: {file, at, owner}."""
    newest = max(_files(profile or settings.profile_dir()), key=lambda path: path.stat().st_mtime_ns)
    found = newest.stat()
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = str(found.st_uid)
    at = datetime.fromtimestamp(found.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"file": newest.name, "at": at, "owner": owner}


def _files(base: Path) -> list[Path]:
    return sorted(p for folder in {base / "access", COMMON} for p in folder.rglob("*") if p.is_file())


def load_book(profile: Path | None = None) -> PolicyBook:
    """The book of a profile (the one in force, if none is given). Cached while its files are unchanged.

    Raises `DeclarationErrors` with every mistake of every file, the policies' included.
    """
    base = profile or settings.profile_dir()
    return _load(base, tuple((str(p), p.stat().st_mtime_ns) for p in _files(base)))


@lru_cache(maxsize=8)
def _load(base: Path, stamp: tuple) -> PolicyBook:
    mistakes: list[Mistake] = []
    roles = _collected(mistakes, part(base, "roles"), DeclaredRole)
    purposes = _collected(mistakes, part(base, "purposes"), Purpose)
    own_fields = _collected(mistakes, part(base, "field_groups"), FieldGroup)
    # group by group: a profile says which of its elements stand in a group, the purposes that need the group stay common
    common = _collected(mistakes, COMMON / "field_groups", FieldGroup)
    fields = None if own_fields is None or common is None else {**common, **own_fields}
    folder = part(base, "policies")
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.cedar"))}
    schema = (folder / SCHEMA).read_text(encoding="utf-8") if (folder / SCHEMA).exists() else ""
    # names are looked up only among what could be read, else one unreadable role would be told as many mistakes
    known = {kind: set(read) for kind, read in (("Role", roles), ("Purpose", purposes), ("Fields", fields)) if read}
    mistakes += unknown_names(purposes or {}, known)
    if own_fields and (base / "access" / "field_groups").is_dir():
        mistakes += ungrouped(own_fields, standards.load_profile(base).elements)
    mistakes += policy_mistakes(texts, schema, known)
    if mistakes or roles is None or purposes is None or fields is None:
        raise DeclarationErrors(mistakes)
    return PolicyBook(roles, purposes, fields, texts, schema)


def part(base: Path, name: str) -> Path:
    """The profile's own folder of that part of access, or the common one."""
    own = base / "access" / name
    return own if own.is_dir() else COMMON / name


def _collected(mistakes: list[Mistake], folder: Path, cls: type[T]) -> dict[str, T] | None:
    try:
        return load_folder(folder, cls)
    except DeclarationErrors as wrong:
        mistakes.extend(wrong.mistakes)
        return None


def unknown_names(purposes: Mapping[str, Purpose], known: Mapping[str, Set[str]]) -> list[Mistake]:
    """Roles and field groups that purposes name but nobody declares. `known`: see `policy_mistakes`."""
    found = []
    for purpose in purposes.values():
        for where, names, kind in (("roles", purpose.roles, "Role"), ("fields", purpose.fields, "Fields")):
            for name in names:
                if kind in known and name not in known[kind]:
                    near = did_you_mean(name, known[kind])
                    found.append(
                        Mistake(
                            f"purposes/{purpose.code}.toml",
                            f"{where}.{name}",
                            f"is not declared{f'; did you mean {near!r}?' if near else ''}",
                            f"未声明{f'；是否应为 {near!r}？' if near else ''}",
                        )
                    )
    return found


def ungrouped(fields: Mapping[str, FieldGroup], elements: Mapping[str, Any]) -> list[Mistake]:
    """Elements in no group or in two, group members that are no elements, protected elements in an open group."""
    found = []
    place: dict[str, str] = {}
    for group in fields.values():
        file = f"field_groups/{group.key}.toml"
        for key in group.elements:
            if key not in elements:
                near = did_you_mean(key, elements)
                found.append(
                    Mistake(
                        file,
                        key,
                        f"is no element{f'; did you mean {near!r}?' if near else ''}",
                        f"没有这个数据元{f'；是否应为 {near!r}？' if near else ''}",
                    )
                )
            elif place.setdefault(key, group.key) != group.key:
                found.append(Mistake(file, key, f"stands in {place[key]} already", f"已在 {place[key]} 组中"))
            elif elements[key].protected and not group.is_protected:
                found.append(
                    Mistake(
                        file,
                        key,
                        "limit 3 (protected attributes): belongs into a group with is_protected = true",
                        "界限三（受保护属性）：须放入 is_protected = true 的组",
                    )
                )
    for key in sorted(set(elements) - set(place)):
        found.append(
            Mistake("field_groups", key, "stands in no group, so nobody could read it", "不在任何组中，无人可读")
        )
    return found


def policy_mistakes(texts: Mapping[str, str], schema: str, known: Mapping[str, Set[str]]) -> list[Mistake]:
    """What is wrong with the policies: not readable, not fitting the schema, without an id, an id twice, naming what is not in `known`.

    `known`: kind of entity (Role, Purpose, Fields) → declared names.
    """
    found: list[Mistake] = []
    place: dict[str, str] = {}
    for file, text in texts.items():
        shown = f"policies/{file}"
        try:
            listed = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        except ValueError as wrong:
            found.append(Mistake(shown, "-", f"is not Cedar: {wrong}", f"不是有效的 Cedar：{wrong}"))
            continue
        for error in cedarpy.validate_policies(text, schema).errors:
            found.append(Mistake(shown, error.policy_id, error.error, error.error))
        for number, one in listed.items():
            name = one.get("annotations", {}).get("id") or ""
            if not name:
                found.append(Mistake(shown, number, 'lacks its name: write @id("…")', '缺少名称：请写 @id("…")'))
            elif (
                place.setdefault(name, file) != file
                or sum(1 for other in listed.values() if other.get("annotations", {}).get("id") == name) > 1
            ):
                found.append(Mistake(shown, name, "is the name of another policy too", "与另一条策略重名"))
            for kind, entity in _entities_in(one):
                if kind in known and entity not in known[kind]:
                    near = did_you_mean(entity, known[kind])
                    found.append(
                        Mistake(
                            shown,
                            name or number,
                            f'{kind}::"{entity}" is not declared{f"; did you mean {near!r}?" if near else ""}',
                            f'{kind}::"{entity}" 未声明{f"；是否应为 {near!r}？" if near else ""}',
                        )
                    )
    return found


def _entities_in(node: Any) -> Iterable[tuple[str, str]]:
    """Every entity a policy names, as (type, id)."""
    if isinstance(node, dict):
        if set(node) == {"type", "id"} and all(isinstance(value, str) for value in node.values()):
            yield node["type"], node["id"]
        for value in node.values():
            yield from _entities_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _entities_in(value)
