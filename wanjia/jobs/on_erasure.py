"""A person's content is erased by law: records, dossier, facts, and the texts of the trace; and a certificate says what went and what is left.

Order: records out of the lake and what events say, then the main job (nothing it makes holds them any more), then dossier and facts, then trace
texts. Killed at any moment, the same command goes on: what is gone already is found gone.
"""

from typing import Any

from wanjia.jobs import on_delivery
from wanjia.kernel.progress import Progress

MOST_ENTRIES = 100_000


def erase_person(
    person_id: int, *, basis: str, landings: bool = False, by: str, why: str, progress: Progress | None = None
) -> str:
    """Erase all content about the person; the number of the certificate. `landings`: destroy the deliveries' landed bytes that hold the rows too.

    Raises `AlreadyRunning`, `PersonStillStated` (a record of somebody linked since), and the errors of the main job.
    """
    from wanjia.catalog.api import deciding
    from wanjia.documents import api as documents
    from wanjia.intake import api as intake
    from wanjia.keys import api as keys
    from wanjia.linkage import api as linkage
    from wanjia.linkage.api import reviewing
    from wanjia.privacy import api as privacy
    from wanjia.register import api as register
    from wanjia.services import api as services
    from wanjia.trace import api as trace

    who = {"by": by, "why": why}
    links, ids = linkage.current_links(), register.ids_of(person_id)
    mine = [
        a for a, p in zip(links["assertion_id"].to_pylist(), links["person_id"].to_pylist(), strict=True) if p in ids
    ]
    with on_delivery.only_one():
        records = intake.erase_records(mine, person_id=person_id, **who)
        events = sum(register.erase_events(one, **who) for one in sorted(ids))
    on_delivery.run(force=True, progress=progress, **who)
    # a person whom a merge took in is the same person: what lay under that id goes too
    sealed = [privacy.erase_person(one, **who) for one in sorted(ids)]
    vault = {
        "versions": sum(one["versions"] for one in sealed),
        "search_rows": sum(one["search_rows"] for one in sealed),
        "sealed_digest": ", ".join(one["sealed_digest"] for one in sealed if one["versions"])
        or sealed[0]["sealed_digest"],
    }
    papers = documents.erase_person(person_id, **who)
    requests = services.erase_person(person_id, **who)
    facts = sum(register.erase_person(one, **who) for one in sorted(ids))
    judged = sum(reviewing.erase_person(one, **who) for one in sorted(ids))
    settled = sum(deciding.erase_person(one, **who) for one in sorted(ids))
    destroyed = intake.destroy_landings(records.deliveries, **who) if landings else 0
    trace.Sequencer().step()
    before = trace.head()
    told = (
        "privacy.erase_person", "documents.erase", "services.erase", "register.erase_events", "register.erase_person",
        "linkage.erase", "catalog.erase",
    )  # fmt: skip
    about = [e["id"] for e in trace.entries(subject=person_id, limit=MOST_ENTRIES) if e["kind"] not in told]
    texts = trace.erase(about, **who)
    trace.Sequencer().step()
    after, wrong = trace.head(), trace.self_check(**who)
    proofs: dict[str, Any] = {
        "origin": after.origin,
        "size_before": before.size,
        "root_before": before.root.hex(),
        "size_after": after.size,
        "root_after": after.root.hex(),
        "self_check_findings": len(wrong),
    }
    gone = [
        _item("records", records.assertions, "来源记录产生的主张（含历次版本）", "assertions made of sources' records, all versions"),
        _item("dossiers", vault["versions"], f"保险库密封条目及其随机数（密文 SHA-256 {vault['sealed_digest']}）",
              f"sealed dossiers with their nonces (SHA-256 of the ciphertexts {vault['sealed_digest']})"),
        _item("search", vault["search_rows"], "盲索引条目", "rows of the search index"),
        _item("documents", papers, "所签发证件的密封内容（编号与状态保留）", "sealed contents of issued documents (number and state stay)"),
        _item("requests", requests, "居民申请中的文字与证明材料（时间与结果保留）",
              "words and evidence of the resident's requests (times and outcome stay)"),
        _item("cases", events, "登记事项的表单与理由（办理步骤与对他人的效力保留）",
              "forms and reasons of cases of events (their steps, and what they did to others, stay)"),
        _item("decisions", judged, "对疑似重复记录的认定理由（认定结果保留）",
              "reasons of decisions about possible duplicates (what was decided stays)"),
        _item("conflicts", settled, "对来源冲突的认定理由及当时的报送值（认定结果保留）",
              "reasons of decisions about conflicts between sources, and what these said then (what was decided stays)"),
        _item("facts", facts, "登记事实（各时点）", "facts of the register, of all times"),
        _item("trace", texts, "留痕条目的内容与随机数", "texts and nonces of trace entries"),
        _item("landings", destroyed, "交付批次的落地原件", "deliveries' landed bytes"),
    ]  # fmt: skip
    left = [
        _item("places", texts, "公开日志中的位置与承诺值：不含内容，保证他人的证明仍成立",
              "places and commitments in the public log: without content, so that others' proofs hold"),
        _item("acts", 5 * len(ids) + papers + bool(requests), "记载本次抹除的留痕条目", "trace entries that tell of this erasure"),
        _item("backups", 0, "备份不在本证明之内", "backups are not covered"),
    ]  # fmt: skip
    kept = len(records.deliveries) - destroyed
    if kept:
        left.append(_item("landings", kept, "交付批次的落地原件仍密封保存该行（可用 --landings 销毁）",
                          "deliveries' landed bytes still hold the rows, sealed (--landings destroys them)"))  # fmt: skip
    return keys.issue_certificate(
        "person",
        person_id,
        basis=basis,
        destroyed=[one for one in gone if one["count"]],
        left=left,
        proofs=proofs,
        **who,
    )


def _item(what: str, count: int, zh: str, en: str) -> dict[str, Any]:
    return {"what": what, "count": count, "zh": zh, "en": en}
